"""The benchmark of the stream, tiny: both jobs run and write the same. No timing is asserted."""

from roas_bench.stream import stream


def test_the_stream_and_plain_sql_write_the_same_sums() -> None:
    report = stream(rows=3_000, repeats=1)

    assert report.details["events"] > 3_000
    assert len(report.details["cpu_us_per_event"]["ctr-stream"]) == 1
