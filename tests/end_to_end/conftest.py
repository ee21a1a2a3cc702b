"""One whole stack for all end-to-end tests: they use different days of event time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from whole_stack import WholeStack

from roas_contracts.service import settings as service_settings
from roas_local import control
from roas_local.install import default_toolchain
from roas_local.ports import free_port
from roas_local.settings import StackSettings
from roas_local.stack import StackFolders


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeStack]:
    folders = StackFolders(tmp_path_factory.mktemp("stack"))
    with pytest.MonkeyPatch.context() as environment:
        for name in StackSettings.model_fields:
            environment.setenv(f"ROAS_LOCAL_{name.upper()}", str(free_port().number))
        # A file's conversions come hours after its impressions: Redis has to keep both.
        environment.setenv("ROAS_CACHE_WRITER_REDIS_KEPT_WINDOWS_1M", "1440")
        settings = service_settings.load(StackSettings)
        toolchain = default_toolchain()
        with control.running(folders, toolchain) as state:
            yield WholeStack(folders, toolchain, state.environment, settings)
