"""Apache Avro's Java as a process that answers questions about pairs of schemas."""

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from roas_contracts.errors import MisconfigurationError
from roas_fuzz.pairs import Pair

_MAIN_CLASS = "roas.fuzz.AvroOracle"
_EXIT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class OracleAnswer:
    """What Java says of a pair."""

    refused: tuple[str | None, str | None]
    """Why its parser does not take the one text, and the other."""
    reads: tuple[list[list[str]] | str, list[list[str]] | str] | None
    """Can the one read the other's data, and the other the one's: `[type, location, message]` of
    each incompatibility, or the text of what was thrown. None if a text was refused."""


class AvroOracle:
    """One Java process; use it as a context.

    Args:
        java: the `java` program.
        class_path: the program's jar and Apache Avro's, joined by ":".
    """

    def __init__(self, java: Path, class_path: str) -> None:
        command: list[str | Path] = [java, "-Xmx512m", "-XX:+UseSerialGC", "-cp", class_path]
        # Avro logs a warning for each logical type that does not fit.
        self._errors = tempfile.TemporaryFile()
        try:
            self._process = subprocess.Popen(
                [*command, _MAIN_CLASS],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
            )
        except OSError as error:
            raise MisconfigurationError(f"{java} can't be started: {error.strerror}") from None
        self._writer = ThreadPoolExecutor(1)

    def __enter__(self) -> "AvroOracle":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the process, and wait for its end."""
        self._process.kill()
        self._process.wait(_EXIT_SECONDS)
        self._writer.shutdown()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdout.close()
        with contextlib.suppress(BrokenPipeError):  # What it never read.
            self._process.stdin.close()
        self._errors.close()

    def ask(self, pairs: Sequence[Pair]) -> list[OracleAnswer]:
        """The answers to a batch, in its order.

        Raises:
            MisconfigurationError: Java ended.
        """
        # Both ends at once: either pipe may fill up before the other is read.
        writing = self._writer.submit(self._write, pairs)
        assert self._process.stdout is not None
        answers = []
        for _ in pairs:
            line = self._process.stdout.readline()
            if not line:
                raise MisconfigurationError(f"Java ended: {self._complaint()}")
            answers.append(_answer(line))
        writing.result()
        return answers

    def _write(self, pairs: Sequence[Pair]) -> None:
        assert self._process.stdin is not None
        try:
            for pair in pairs:
                self._process.stdin.write(json.dumps([pair.one, pair.other]).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # The reader of the answers tells why.

    def _complaint(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").splitlines()
        told = [line for line in lines if not line.startswith("SLF4J")]
        return told[0] if told else f"exit code {self._process.wait(_EXIT_SECONDS)}"


def _answer(line: bytes) -> OracleAnswer:
    answer = json.loads(line)
    reads = answer.get("reads")
    return OracleAnswer(tuple(answer["refused"]), None if reads is None else tuple(reads))
