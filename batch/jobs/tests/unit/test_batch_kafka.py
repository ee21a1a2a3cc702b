"""What is said about Kafka's own things."""

from roas_batch.kafka import spelled


def test_a_topic_id_is_spelled_as_kafka_s_tools_do_and_is_one_folder() -> None:
    assert spelled("Xmit8iNFT/Gve9T+lUF7qw") == "Xmit8iNFT_Gve9T-lUF7qw"
