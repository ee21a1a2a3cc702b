"""Where rows come from: what the rest of the producer needs to know of a file or a generator."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Protocol

from roas_contracts.errors import InputError
from roas_contracts.events import Source
from roas_contracts.rules import MAX_AHEAD_MS
from roas_producer.generator import GeneratorOptions, rows
from roas_producer.hours import hour_blocks
from roas_producer.kaggle import TRAIN_COLUMNS, RowParser, read_header
from roas_producer.lines import Input, numbered_lines, opened
from roas_producer.rows import HourBlock


class RowSource(Protocol):
    """A source of hour blocks."""

    @property
    def name(self) -> str:
        """For a person."""

    @property
    def sha256(self) -> str:
        """Identity of the content, hex."""

    @property
    def source(self) -> Source:
        """What the events say of where they come from."""

    @property
    def repeatable(self) -> bool:
        """Whether the same identity means the same rows, and they can be read again."""

    @property
    def columns(self) -> list[str]:
        """The row format's columns; known when the first block is."""

    @property
    def total_rows(self) -> int | None:
        """How many rows there are, where that is known."""

    def blocks(self, skip_before_ms: int | None = None) -> Iterator[HourBlock]:
        """The hours; those before ``skip_before_ms`` may be left out."""


class FileSource:
    """Kaggle's train or test file.

    Args:
        source: which file, or standard input.
        synthesize_ids: make ids from the file and line instead of reading them.
    """

    def __init__(self, source: Input, synthesize_ids: bool = False) -> None:
        self._input = source
        self._synthesize = source.sha256 if synthesize_ids else None
        self._columns = TRAIN_COLUMNS
        self.name = source.name
        self.sha256 = source.sha256
        self.source = Source.AVAZU
        self.repeatable = source.path is not None
        self.total_rows: int | None = None

    @property
    def columns(self) -> list[str]:
        """The header's columns, once it was read."""
        return self._columns

    def blocks(self, skip_before_ms: int | None = None) -> Iterator[HourBlock]:
        """Read the file from its start.

        Raises:
            InputError: the file is not what it should be; names file and line.
        """
        with opened(self._input) as stream:
            lines = numbered_lines(stream, self.name)
            _, header = next(lines, (1, b""))
            layout = read_header(header, self.name)
            self._columns = layout.columns
            parser = RowParser(layout, self._synthesize)
            yield from hour_blocks(lines, parser, self.name, skip_before_ms)


def refuse_future(
    blocks: Iterator[HourBlock], name: str, now_ms: Callable[[], int]
) -> Iterator[HourBlock]:
    """Stop at an hour that lies ahead of the wall clock: consumers would refuse its events.

    Raises:
        InputError: names the hour.
    """
    for block in blocks:
        if block.start_ms > now_ms() + MAX_AHEAD_MS:
            hour = datetime.fromtimestamp(block.start_ms / 1000, UTC).strftime("%Y-%m-%dT%HZ")
            raise InputError(
                f"{name}: the hour {hour} lies in the future; --rebase now moves an input "
                "to the present"
            )
        yield block


class GeneratedSource:
    """Rows made by the generator.

    Args:
        options: what is generated.
    """

    def __init__(self, options: GeneratorOptions) -> None:
        canonical = json.dumps(asdict(options), sort_keys=True, default=str)
        self._options = options
        self.name = f"generated-seed-{options.seed}"
        self.sha256 = hashlib.sha256(f"generator\n{canonical}".encode()).hexdigest()
        self.source = Source.GENERATED
        self.repeatable = True
        self.columns = TRAIN_COLUMNS
        self.total_rows = options.rows

    def blocks(self, skip_before_ms: int | None = None) -> Iterator[HourBlock]:
        """Generate; an hour that is left out costs nothing."""
        for block in rows(self._options):
            if skip_before_ms is None or block.start_ms >= skip_before_ms:
                yield block
