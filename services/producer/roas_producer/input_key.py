"""What makes two runs the same run: the input and every option that changes what is emitted."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Final, Protocol

SEQUENCE_VERSION: Final = 2
"""Raised when the same rows would give another sequence: older progress does not fit it then."""


class KeyOptions(Protocol):
    """Options that make two runs of one input different runs."""

    def canonical(self) -> str:
        """JSON that is the same for the same options."""

    def recorded(self) -> str:
        """JSON that is kept with the progress of a run, from its first start on."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The options that change what is emitted. Pace and addresses do not."""

    sample: float
    limit: int | None
    rebase_speed: str | None
    """The exact speed of ``--rebase now``; None without."""
    currency: str
    economics: str
    """Fingerprint of the economics model."""
    synthesize_ids: bool
    again: str | None
    """Name of a deliberate further run of the same input."""

    def canonical(self) -> str:
        """JSON that is the same for the same options."""
        fields = asdict(self) | {"sequence": SEQUENCE_VERSION}
        return json.dumps(fields, sort_keys=True, separators=(",", ":"))

    def recorded(self) -> str:
        """The same."""
        return self.canonical()


def input_key(input_sha256: str, options: KeyOptions) -> str:
    """Key of the progress record and tail of the transactional id: 32 hex digits."""
    return hashlib.sha256(f"{input_sha256}\n{options.canonical()}".encode()).hexdigest()[:32]
