"""Free and taken ports."""

import os
import socket
from collections.abc import Iterator

import pytest

from roas_contracts.errors import MisconfigurationError
from roas_local.ports import Port, free_port, is_free, require_free


@pytest.fixture()
def taken() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        yield server.getsockname()[1]


def test_a_random_port_is_free() -> None:
    assert is_free(free_port().number)


def test_a_taken_port_is_named_with_its_setting_and_its_holder(taken: int) -> None:
    port = Port(taken, "ROAS_LOCAL_KAFKA_PORT")
    with pytest.raises(MisconfigurationError) as error:
        require_free(port, "Kafka")
    message = str(error.value)
    assert f"port {taken} for Kafka is taken by" in message
    assert f"pid {os.getpid()}" in message
    assert "ROAS_LOCAL_KAFKA_PORT" in message
    assert error.value.exit_code == 2


def test_a_free_port_passes() -> None:
    require_free(free_port(), "anything")
