"""Names as Avro's Java judges them: letters and digits of any script, in UTF-16."""

import re
import unicodedata
from typing import Final

from roas_contracts.compatibility.invalid import InvalidSchemaError

_ASCII: Final = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_LETTERS: Final = frozenset(("Lu", "Ll", "Lt", "Lm", "Lo"))


def require_name(name: str | None) -> str:
    """The name itself.

    Raises:
        InvalidSchemaError: it is not one.
    """
    if name is None:
        raise InvalidSchemaError("a name must be a string")
    if _ASCII.fullmatch(name) or _is_name(name):
        return name
    if not name:
        raise InvalidSchemaError("a name is empty")
    raise InvalidSchemaError(
        f"{name!r} is not a name: a name starts with a letter or _, and goes on with letters, "
        "digits and _"
    )


def split_name(name: str, namespace: str | None) -> tuple[str, str | None]:
    """Simple name and namespace of a name that stands inside a namespace.

    The namespace is not judged: an alias may have any.
    """
    space, dot, simple = name.rpartition(".")
    return require_name(simple), (space if dot else namespace) or None


def require_namespace(namespace: str | None) -> None:
    """Raise InvalidSchemaError unless every part of a namespace is a name."""
    if namespace is not None:
        for part in namespace.split("."):
            require_name(part)


def _is_name(name: str) -> bool:
    # Java looks at UTF-16 units: half a character is no letter.
    return (
        bool(name)
        and all(ord(character) <= 0xFFFF for character in name)
        and (name[0] == "_" or unicodedata.category(name[0]) in _LETTERS)
        and all(
            character == "_" or unicodedata.category(character) in (*_LETTERS, "Nd")
            for character in name[1:]
        )
    )
