"""Runs a service's own command line with the settings of the stack."""

import os
import sys
from collections.abc import Mapping, Sequence

from roas_contracts.errors import MisconfigurationError
from roas_contracts.service.cli import PROGRAM_VARIABLE
from roas_local.control import running_state
from roas_local.install import Toolchain
from roas_local.layout import STACKS, Layout
from roas_local.stack import StackFolders

MODULES = {
    "contracts": "roas_fuzz",
    "producer": "roas_producer",
    "ctr-stream": "roas_ctr_stream",
    "cache-writer": "roas_cache_writer",
    "dlq": "roas_dlq_handler",
    "batch": "roas_batch",
    "verify": "roas_ledger",
    "bench": "roas_bench",
    "chaos": "roas_chaos",
    "airflow": "roas_airflow",
    "dbt": "roas_dbt",
}
"""Modules by the name of their command. In a checkout `contracts` can also `fuzz`."""


def running_environment(layout: Layout) -> Mapping[str, str]:
    """Settings of the stack that runs, whichever it is; without one only where the sources are."""
    for name in STACKS:
        state = running_state(StackFolders(layout.state(name)))
        if state is not None and state.environment:
            return state.environment
    return {}


def oracle_environment(toolchain: Toolchain) -> Mapping[str, str]:
    """Settings of `contracts fuzz`. Installs and compiles what they name."""
    return {
        "ROAS_CONTRACTS_ORACLE_JARS": ":".join(map(str, toolchain.avro_oracle_jars())),
        "ROAS_CONTRACTS_ORACLE_JAVA": str(toolchain.java()),
    }


def dbt_environment(toolchain: Toolchain, running: Mapping[str, str]) -> dict[str, str]:
    """Settings of `dbt`, with or without a running stack. Installs the program that they name."""
    state = str(toolchain.layout.home / "dbt")
    return {"ROAS_DBT_STATE": state, **running, "ROAS_DBT_PROGRAM": str(toolchain.dbt())}


def execute(tool: str, arguments: Sequence[str], toolchain: Toolchain) -> None:
    """Become a tool's process. What the user's environment sets wins over the stack's settings.

    Raises:
        MisconfigurationError: its interpreter can't be started.
        TransientError: its environment can't be installed.
    """
    python = toolchain.environment("flink" if tool == "ctr-stream" else "services")
    running = running_environment(toolchain.layout)
    if tool == "dbt":
        running = dbt_environment(toolchain, running)
    environment = {**running, **os.environ}
    environment["PYTHONPATH"] = toolchain.layout.python_path
    environment[PROGRAM_VARIABLE] = f"./roas {tool}"
    if tool == "contracts" and "fuzz" in arguments[:1]:
        environment |= oracle_environment(toolchain)
    command = [str(python), "-m", MODULES[tool], *arguments]
    sys.stdout.flush()
    try:
        os.execve(command[0], command, environment)  # noqa: S606
    except OSError as error:
        raise MisconfigurationError(f"{python} can't be started: {error.strerror}") from None
