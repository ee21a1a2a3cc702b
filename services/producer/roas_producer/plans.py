"""What a run needs to know of what it emits: the seam between making a sequence of records (of an
Avazu file, of the generator, of a person's own file) and sending it exactly once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from roas_contracts.codec import Codec
from roas_contracts.events import ProducerProgress
from roas_producer.encoding import WrittenSchemas
from roas_producer.errata_layouts import ErrataLayout
from roas_producer.feed import Chunk
from roas_producer.rows import BadRow
from roas_producer.sequence import Kind


@dataclass(frozen=True, slots=True)
class Registered:
    """What the registry says of the schemas that are written."""

    events: WrittenSchemas
    dead_letters: Codec


class Passage(Protocol):
    """One pass over a plan's input."""

    @property
    def shift_ms(self) -> int:
        """How far event times are moved; known when the first chunk is."""

    def chunks(
        self, progress: ProducerProgress, whole: bool, left_out: Callable[[BadRow], None]
    ) -> Iterator[Chunk]:
        """The records that are still to be sent.

        Args:
            progress: where the run stands.
            whole: read from the first row even where nothing of it is left to send.
            left_out: is told of each bad row that was sent before.
        """


class EmissionPlan(Protocol):
    """What is to be emitted. Two equal plans emit the same records in the same order."""

    @property
    def name(self) -> str:
        """The input's, for a person."""

    @property
    def sha256(self) -> str:
        """Identity of the input's content, hex."""

    @property
    def repeatable(self) -> bool:
        """Whether the input can be read again, and is the same then."""

    @property
    def total_rows(self) -> int | None:
        """How many rows there are, where that is known."""

    @property
    def currency(self) -> str:
        """ISO 4217 code of every amount."""

    @property
    def rebased(self) -> bool:
        """Whether event times are the wall clock's."""

    @property
    def row_kinds(self) -> frozenset[Kind]:
        """The steps of which each is one row of the input."""

    @property
    def errata_layout(self) -> ErrataLayout:
        """How bad rows are written for a person."""

    def passage(self, registered: Registered, now_ms: Callable[[], int]) -> Passage:
        """Begin a pass over the input."""
