"""contracts/avro/published.sha256: the fingerprint of every published version.

In the format of `sha256sum`, so that `sha256sum -c` can read it. It is what holds where there is
no git: in an image, in a build's sandbox. A version that is not in it fails the gate, so that
adding one can't be forgotten; the gate's comparison with git holds the file itself.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from roas_contracts.errors import InputError
from roas_contracts.subjects import VERSION_FILE

FILE_NAME: Final = "published.sha256"

_LINE: Final = re.compile(r"([0-9a-f]{64})  ([^/\s]+/v[1-9][0-9]*\.avsc)")


def sha256(content: bytes) -> str:
    """The fingerprint of a file."""
    return hashlib.sha256(content).hexdigest()


def read(directory: Path) -> Mapping[str, str]:
    """Fingerprints by "<topic>/vN.avsc"; none where the file is missing.

    Raises:
        InputError: names the file and the line that is wrong.
    """
    path = directory / FILE_NAME
    if not path.is_file():
        return {}
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise InputError(f"{path}:{number}: not a line of sha256sum: {line!r}")
        if match[2] in found:
            raise InputError(f"{path}:{number}: {match[2]} is there twice")
        found[match[2]] = match[1]
    return found


def write(directory: Path, fingerprints: Mapping[str, str]) -> None:
    """Write the file anew, in the order of topics and versions."""
    names = sorted(fingerprints, key=lambda name: (name.split("/")[0], _number(name)))
    text = "".join(f"{fingerprints[name]}  {name}\n" for name in names)
    (directory / FILE_NAME).write_text(text, "utf-8")


def versions_in(directory: Path) -> Mapping[str, bytes]:
    """The content of every schema version's file by "<topic>/vN.avsc"."""
    return {
        f"{path.parent.name}/{path.name}": path.read_bytes()
        for path in sorted(directory.glob("*/*.avsc"))
        if VERSION_FILE.fullmatch(path.name) and path.is_file()
    }


def _number(name: str) -> int:
    match = VERSION_FILE.fullmatch(name.split("/")[1])
    return int(match[1]) if match else 0
