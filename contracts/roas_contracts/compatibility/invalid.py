"""What is said about a text that is not a valid Avro schema."""

from roas_contracts.errors import InputError


class InvalidSchemaError(InputError):
    """A text is not an Avro schema.

    Attributes:
        path: JSON pointer to the place in the text, "/" for the whole.
        reason: what is wrong there, for a person.
        line: line of the text, from 1; None while it is not known.
    """

    def __init__(self, reason: str, path: str = "", line: int | None = None) -> None:
        self.reason = reason
        self._path = path
        self.line = line
        super().__init__(reason)

    @property
    def path(self) -> str:
        """JSON pointer to the place in the text."""
        return self._path or "/"

    def __str__(self) -> str:
        where = f"line {self.line}, " if self.line else ""
        return f"{where}at {self.path}: {self.reason}"

    def inside(self, token: str | int) -> "InvalidSchemaError":
        """The same, as seen from the place that holds `token`."""
        self._path = f"/{token}{self._path}"
        return self
