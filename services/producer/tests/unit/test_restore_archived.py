"""The records of an archive, in the order in which they are sent."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from roas_contracts.archive.format import SCHEMA, Description, records_sha256
from roas_contracts.archive.writing import pack, publish, staged
from roas_contracts.errors import InputError
from roas_contracts.events import AD_CLICKS, EVENT_TOPICS
from roas_producer.restore.archived import Archive, Missing, in_order_of_sending


def _write(
    archive: Path,
    partition: int,
    offsets: list[int],
    span: tuple[int, int],
    *,
    timestamps: list[int] | None = None,
    topic_id: str = "id",
) -> Path:
    frame = pl.DataFrame(
        {
            "offset": offsets,
            "timestamp": timestamps or offsets,
            "value": [b"%d" % offset for offset in offsets],
        }
    ).with_columns(
        pl.lit(None).alias(name) for name in SCHEMA if name not in ("offset", "timestamp", "value")
    )
    frame = frame.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
    frame = frame.with_columns(pl.lit(1, pl.Int8).alias("timestamp_type"))
    description = Description(
        topic=AD_CLICKS,
        topic_id=topic_id,
        cluster_id="cluster",
        partition=partition,
        from_offset=span[0],
        to_offset=span[1],
        records_sha256=records_sha256(frame),
        schemas={},
    )
    packed = pack(frame, description)
    with staged(archive, packed) as unfinished:
        publish(archive, packed, unfinished)
    return archive / packed.place.path


def test_overlapping_files_give_each_record_once(tmp_path: Path) -> None:
    _write(tmp_path, 0, [0, 2, 4], (0, 6))
    _write(tmp_path, 0, [0, 2], (0, 3))
    _write(tmp_path, 0, [4, 6], (3, 8))
    archive = Archive(tmp_path, EVENT_TOPICS, {})
    assert [record.value for record in archive.records((AD_CLICKS, 0))] == [b"0", b"2", b"4", b"6"]
    assert archive.missing() == []
    assert list(archive.records((AD_CLICKS, 1))) == []


def test_offsets_in_no_file_are_named(tmp_path: Path) -> None:
    _write(tmp_path, 0, [3], (3, 5))
    _write(tmp_path, 0, [9], (8, 10))
    missing = Archive(tmp_path, EVENT_TOPICS, {}).missing()
    assert missing == [Missing(AD_CLICKS, 0, 0, 3), Missing(AD_CLICKS, 0, 5, 8)]
    assert str(missing[1]) == "ad-clicks[0] offsets 5 to 7"


def test_partitions_go_side_by_side_and_each_keeps_its_order(tmp_path: Path) -> None:
    # The first partition's timestamps are not in order: its offsets are what counts.
    _write(tmp_path, 0, [0, 1, 2], (0, 3), timestamps=[10, 5, 30])
    _write(tmp_path, 1, [0, 1], (0, 2), timestamps=[7, 20])
    archive = Archive(tmp_path, EVENT_TOPICS, {})
    records = in_order_of_sending(archive.records((AD_CLICKS, number)) for number in range(2))
    assert [(record.partition, record.timestamp) for record in records] == [
        (1, 7),
        (0, 10),
        (0, 5),
        (1, 20),
        (0, 30),
    ]


def test_of_several_topics_of_one_name_one_has_to_be_chosen(tmp_path: Path) -> None:
    _write(tmp_path, 0, [0], (0, 1), topic_id="new")
    _write(tmp_path, 0, [0, 1], (0, 2), topic_id="old")
    with pytest.raises(InputError, match="one of new, old"):
        Archive(tmp_path, EVENT_TOPICS, {})
    chosen = Archive(tmp_path, EVENT_TOPICS, {AD_CLICKS: "old"})
    assert len(list(chosen.records((AD_CLICKS, 0)))) == 2


def test_a_damaged_file_is_named_before_any_of_its_records(tmp_path: Path) -> None:
    path = _write(tmp_path, 0, [0, 1], (0, 2))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=path.name):
        next(Archive(tmp_path, EVENT_TOPICS, {}).records((AD_CLICKS, 0)))
