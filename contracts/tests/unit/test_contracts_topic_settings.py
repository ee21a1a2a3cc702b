"""Which changes of a topic's settings make Kafka delete records."""

import pytest

from roas_contracts.topic_settings import Difference


@pytest.mark.parametrize(
    ("name", "found", "wanted", "deletes"),
    [
        ("retention.ms", "1000", "2000", False),
        ("retention.ms", "1000", "-1", False),
        ("retention.ms", "2000", "1000", True),
        ("retention.ms", "-1", "9000", True),
        ("cleanup.policy", "delete", "compact", True),
        ("cleanup.policy", "compact", "delete", True),
        ("max.message.bytes", "4194304", "67108864", False),
        ("max.message.bytes", "67108864", "4194304", False),
        ("min.insync.replicas", "1", "2", False),
    ],
)
def test_a_change_is_known_to_delete_or_not(
    name: str, found: str, wanted: str, deletes: bool
) -> None:
    assert Difference("dead-letters", name, found, wanted).deletes is deletes
