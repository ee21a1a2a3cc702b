"""The real session cluster: both processes, kill -9 of each."""

import re
from pathlib import Path

import httpx

from roas_local.components import FlinkCluster
from roas_local.components.flink import SLOTS


def test_both_processes_come_back_after_kill_9(tmp_path: Path) -> None:
    with FlinkCluster(tmp_path) as flink:
        overview = httpx.get(f"{flink.rest_url}/overview").json()
        assert overview["slots-total"] == SLOTS
        metrics = httpx.get(flink.jobmanager.metrics_url).text
        assert re.search(r"numRegisteredTaskManagers\S* 1\.0$", metrics, re.MULTILINE)

        flink.taskmanager.kill()
        assert flink.jobmanager.ready()
        assert not flink.taskmanager.ready()
        flink.taskmanager.start()

        flink.jobmanager.kill()
        flink.jobmanager.start()
        # The TaskManager finds the new JobManager by itself.
        flink.taskmanager.wait_ready()
