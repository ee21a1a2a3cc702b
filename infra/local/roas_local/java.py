"""Which Java the stack runs on."""

import os
import re
import shutil
import subprocess
from pathlib import Path

_SUPPORTED = (17, 21)
_VERSION = re.compile(r'version "(\d+)')


def major_version(banner: str) -> int | None:
    """Major version in the output of `java -version`, None if there is none."""
    match = _VERSION.search(banner)
    return int(match.group(1)) if match else None


def system_java() -> Path | None:
    """Home of a Java 17 or 21 from JAVA_HOME or the PATH; None where there is none."""
    candidates = []
    if home := os.environ.get("JAVA_HOME"):
        candidates.append(Path(home) / "bin" / "java")
    if found := shutil.which("java"):
        candidates.append(Path(found))
    for candidate in candidates:
        java = candidate.resolve()
        if _major_of(java) in _SUPPORTED and java.parent.name == "bin":
            return java.parents[1]
    return None


def _major_of(java: Path) -> int | None:
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return major_version(done.stderr + done.stdout)
