"""Poison and dead letters, position by position: each poison record has its letter, no other."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from roas_ledger.dead_letter_book import Letter
from roas_ledger.differences import Difference
from roas_ledger.evidence import Evidence
from roas_ledger.kafka_reader import Extent
from roas_ledger.record import Partition
from roas_ledger.record_book import RecordBook
from roas_ledger.report import Report

CHECK = "dead letters"


def compare_positions(
    partition: Partition,
    extent: Extent,
    cut: int,
    book: RecordBook,
    letters: Mapping[int, Letter],
    consumer: str,
    sent_again: Container[int] = (),
) -> Iterator[Difference]:
    """Differences between a partition's poison and its dead letters, up to the offset `cut`.

    Letters of records that retention has deleted since cannot be checked and are passed over. So
    are those of `sent_again`: good records that are counted where they were sent again.
    """
    topic, number = partition

    def difference(offset: int, expected: str, got: str, detail: str | None = None) -> Difference:
        return Difference(
            check=CHECK,
            expected_from="the records in Kafka",
            got_from=f"dead-letters of {consumer}",
            place=f"{topic}/{number}@{offset}",
            expected=expected,
            got=got,
            detail=detail,
        )

    for offset, poison in book.poison.items():
        letter = letters.get(offset)
        if letter is None:
            yield difference(offset, f"poison, {poison.reason}", "no dead letter", poison.detail)
            continue
        parts = poison.fingerprint.differing_parts(letter.fingerprint)
        if parts:
            yield difference(
                offset,
                "the record's bytes",
                f"another {', '.join(parts)}",
                "the dead letter does not hold the record byte for byte",
            )
        elif letter.reason is not poison.reason:
            yield difference(offset, f"poison, {poison.reason}", f"poison, {letter.reason}")
    for offset, letter in letters.items():
        if not extent.start <= offset < cut or offset in book.poison or offset in sent_again:
            continue
        yield difference(
            offset,
            "a good record, or none, at this position",
            f"a dead letter, {letter.reason}",
            "dead-lettered and decodable: it must not also be counted",
        )


def run(evidence: Evidence, report: Report) -> None:
    """Hold the dead letters of both consumers against the records they came from."""
    groups = evidence.expectations
    letters = evidence.letters
    watched: list[tuple[str, dict[Partition, RecordBook], Mapping[Partition, int]]] = [
        (groups.stream_group, evidence.events.books, evidence.cut)
    ]
    for lineage in evidence.metrics.values():
        ends = {at: evidence.extents[at].committed_end for at in lineage.books}
        watched.append((groups.cache_group, lineage.books, ends))
    found: list[Difference] = []
    compared = 0
    for group, books, cuts in watched:
        for at, book in books.items():
            held = letters.of(group, at)
            compared += len(book.poison.keys() | held.keys())
            again = evidence.sent_again.get(at, ())
            extent = evidence.extents[at]
            found.extend(compare_positions(at, extent, cuts[at], book, held, group, again))
    for place, why in letters.unreadable:
        found.append(
            Difference(
                check=CHECK,
                expected_from="the contract",
                got_from="dead-letters",
                place=place,
                expected="a dead letter",
                got=why,
            )
        )
    report.enter(CHECK, "poison records and their dead letters", compared, "positions", found)
    report.dead_letters = {
        group: sum(len(letters.of(group, at)) for at in letters.partitions(group))
        for group in sorted(letters.groups())
    }
    if letters.file_rows:
        report.dead_letters["file rows"] = len(letters.file_rows)
