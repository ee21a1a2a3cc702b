"""Files of the archive."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path, PurePosixPath

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roas_contracts.archive.format import SCHEMA, Description, Kind, records_sha256
from roas_contracts.archive.layout import Place, place_of
from roas_contracts.archive.reading import check_file, describe, load, load_whole, places
from roas_contracts.archive.writing import pack, publish, remove_abandoned, staged
from roas_contracts.errors import InputError, TransientError


def _records(count: int = 3) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "offset": list(range(10, 10 + count)),
            "timestamp": [1_413_849_600_000] * count,
            "timestamp_type": [1] * count,
            "key": [None, b"", *[b"k"] * (count - 2)],
            "value": [b"\x00\xff", None, *[b"v"] * (count - 2)],
            "headers": [
                None,
                [{"name": "a", "value": b"\x00"}, {"name": "a", "value": None}],
                *[None] * (count - 2),
            ],
            "schema_id": [1, None, *[1] * (count - 2)],
            "kind": [Kind.EVENT] * count,
            "reason": [None] * count,
            "event_day": pl.Series([16364] * count, dtype=pl.Int32).cast(pl.Date),
        },
        schema=SCHEMA,
    )


def _description(records: pl.DataFrame) -> Description:
    return Description(
        topic="ad-clicks",
        topic_id="-topic_id",
        cluster_id="cluster",
        partition=1,
        from_offset=10,
        to_offset=20,
        records_sha256=records_sha256(records),
        schemas={1: '"string"'},
    )


def _write(archive: Path) -> tuple[Path, str]:
    records = _records()
    packed = pack(records, _description(records))
    with staged(archive, packed) as unfinished:
        publish(archive, packed, unfinished)
    return archive / packed.place.path, packed.sha256


def test_records_come_back_byte_for_byte_with_what_the_file_says_about_itself(
    tmp_path: Path,
) -> None:
    path, sha256 = _write(tmp_path)
    check_file(path, sha256)
    description = describe(path)
    assert description == _description(_records())
    assert load_whole(path, description).equals(_records())
    assert load(path, ["offset", "value"]).equals(_records().select("offset", "value"))
    assert list(places(tmp_path)) == [Place("ad-clicks", "-topic_id", 1, 10, 20)]


def test_until_it_is_published_there_is_no_file(tmp_path: Path) -> None:
    packed = pack(_records(), _description(_records()))
    with staged(tmp_path, packed):
        assert list(places(tmp_path)) == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_a_killed_writer_left_is_removed_once_it_is_old(tmp_path: Path) -> None:
    path, _ = _write(tmp_path)
    old, young = path.with_name(".x.part"), path.with_name(".y.part")
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    an_hour_ago = time.time() - 3_700
    os.utime(old, (an_hour_ago, an_hour_ago))
    remove_abandoned(tmp_path, Place("ad-clicks", "-topic_id", 1, 20, 30))
    assert not old.exists()
    assert young.exists()


@given(st.data())
def test_a_flipped_byte_anywhere_is_found(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path, sha256 = _write(tmp_path_factory.mktemp("archive"))
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    with pytest.raises(InputError, match=path.name):
        check_file(path, sha256)


def test_another_record_than_the_description_says_is_found(tmp_path: Path) -> None:
    records = _records()
    altered = records.with_columns(pl.lit(b"w").alias("value"))
    packed = pack(altered, _description(records))
    with staged(tmp_path, packed) as unfinished:
        publish(tmp_path, packed, unfinished)
    path = tmp_path / packed.place.path
    with pytest.raises(InputError, match="damaged"):
        load_whole(path, describe(path))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no Parquet at all, but long enough"])
def test_what_is_no_file_of_an_archive_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.parquet can't be read"):
        describe(path)


def test_a_parquet_file_of_others_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(path)
    with pytest.raises(InputError, match="no file of an archive"):
        describe(path)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    archive = tmp_path / "file"
    archive.write_text("in the way")
    with (
        pytest.raises(TransientError, match="can't be written: Not a directory"),
        staged(archive, pack(_records(), _description(_records()))),
    ):
        pass


def test_a_disk_that_takes_no_more_leaves_nothing_and_is_one_sentence(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # As a full disk does, this fails in the middle of the writing.
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with (
            pytest.raises(TransientError, match="can't be written: File too large"),
            staged(tmp_path, pack(_records(), _description(_records()))),
        ):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("column", "value"),
    [("key", b""), ("value", b"\x00\xfe"), ("timestamp", 1), ("offset", 9), ("timestamp_type", 2)],
)
def test_the_checksum_tells_records_apart(column: str, value: object) -> None:
    records = _records()
    rows = records.rows(named=True)
    rows[0][column] = value
    assert records_sha256(pl.DataFrame(rows, schema=SCHEMA)) != records_sha256(records)


def test_the_checksum_is_of_the_records_not_of_how_they_were_judged() -> None:
    judged = _records().with_columns(pl.lit("poison").alias("kind"))
    assert records_sha256(judged) == records_sha256(_records())


def test_headers_are_part_of_the_checksum() -> None:
    rows = _records().rows(named=True)
    rows[1]["headers"] = list(reversed(rows[1]["headers"]))
    assert records_sha256(pl.DataFrame(rows, schema=SCHEMA)) != records_sha256(_records())


def test_a_place_and_its_path_say_the_same() -> None:
    place = Place("ad-clicks", "-x_y", 3, 0, 2**62)
    assert place_of(place.path) == place
    assert place_of(PurePosixPath("ad-clicks/x/3/notes.txt")) is None
    assert place_of(PurePosixPath("ad-clicks/x/three/1-2.parquet")) is None
    assert place_of(PurePosixPath("1-2.parquet")) is None
    with pytest.raises(ValueError, match="no name of a folder"):
        Place("ad-clicks", "x/y", 3, 0, 1)


def test_a_later_format_is_refused_by_its_number() -> None:
    metadata = _description(_records()).as_metadata()
    assert Description.from_metadata(metadata) == _description(_records())
    with pytest.raises(ValueError, match="its format is 2"):
        Description.from_metadata({**metadata, "roas.format": "2"})
    del metadata["roas.topic"]
    with pytest.raises(ValueError, match=r"lacks 'roas\.topic'"):
        Description.from_metadata(metadata)
