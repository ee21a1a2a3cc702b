"""The benchmarks of the whole pipeline, tiny: sent at a pace, counted, exact."""

from roas_bench.whole_pipeline import whole_pipeline


def test_a_paced_run_is_counted_to_its_end_and_exact() -> None:
    with whole_pipeline("test-whole") as pipeline, pipeline.watched() as course:
        summary = pipeline.produce_for(
            4, *("generate", "--rows", "60000", "--hours", "2", "--speed", "600")
        )
        pipeline.wait_until_counted(rest_s=2)
        report = pipeline.ledger()

    assert summary["sent_now"] > 0
    assert report["exact"]
    assert report["latency_ms"]["windows"] > 0
    assert course.peak("taskmanager") > 0
