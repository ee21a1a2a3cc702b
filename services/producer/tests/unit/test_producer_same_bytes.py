"""What a file becomes never changes: a replay that began with an earlier release goes on with this.

The digest is that of the release before rows were read the quick way. Who changes the sequence on
purpose changes ``SEQUENCE_VERSION``, and this.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from producer_rows import csv_line

from roas_contracts.codec import Codec
from roas_contracts.events import DEAD_LETTERS
from roas_producer.economics import load
from roas_producer.encoding import WrittenSchema, WrittenSchemas
from roas_producer.generator import GeneratorOptions
from roas_producer.generator.kaggle_file import lines
from roas_producer.lines import identify
from roas_producer.pipeline import Plan
from roas_producer.plans import Registered
from roas_producer.progress import fresh
from roas_producer.sequence import ALL_ROWS
from roas_producer.sources import FileSource

_NOW = 1_700_000_000_000
_SCHEMAS = WrittenSchemas(WrittenSchema(2, 11), WrittenSchema(2, 12), WrittenSchema(1, 13))
_BAD = {
    100: "short,0",
    101: csv_line(5, click="x"),
    700: csv_line(18446744073709551616),
    701: csv_line(6).replace("1fbe01fe", ""),
    702: csv_line(7).replace(",320,", ",wide,"),
}
_DIGEST = "5ead6c873b2305e2172b31dbe1fbba597fc24321b3284bdff3699dd021e787e7"


def _write(file: Path) -> None:
    made = [line.rstrip("\n") for line in lines(GeneratorOptions(rows=3_000, hours=2, seed=7))]
    for at, line in _BAD.items():
        made.insert(at, line)
    made.insert(800, csv_line(8).replace("ddd2926e", '"ddd2926e"'))
    made.insert(801, csv_line(9).replace("ddd2926e", "ädd2926e"))
    file.write_text("\n".join(made) + "\n", encoding="utf-8")


def test_a_file_becomes_the_same_records_as_ever(tmp_path: Path) -> None:
    file = tmp_path / "train.csv"
    _write(file)
    plan = Plan(FileSource(identify(file, None)), load(None), ALL_ROWS, "USD", None)
    registered = Registered(_SCHEMAS, Codec.for_topic(DEAD_LETTERS, 9))
    passage = plan.passage(registered, lambda: _NOW)
    digest = hashlib.sha256()
    for chunk in passage.chunks(fresh("key", "name", "options"), True, lambda _: None):
        for time_ms, kind, record in zip(chunk.times, chunk.kinds, chunk.records, strict=True):
            digest.update(f"{time_ms} {kind.name} {record.topic}\n".encode())
            # A dead letter says which release wrote it; its key says of which row it is.
            value = b"" if record.topic == DEAD_LETTERS else record.value
            digest.update(record.key + b"\n" + value + b"\n")
    assert digest.hexdigest() == _DIGEST
