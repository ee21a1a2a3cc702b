"""The topic dead-letters: acknowledged before the offset of the failed record moves."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from roas_contracts.codec import Codec
from roas_contracts.consuming.positions import Reader
from roas_contracts.errors import MisconfigurationError, TransientError
from roas_contracts.events import DEAD_LETTERS, DeadLetter
from roas_contracts.subjects import load_subject

_DELIVERY_TIMEOUT_MS: Final = 20_000
_FRAMING_BYTES: Final = 4_096
"""What Kafka adds to a record, at most: key, lengths and the header of its batch."""

_librdkafka_log = logging.getLogger("roas_contracts.consuming.librdkafka")


def largest_dead_letter_bytes() -> int:
    """Longest value of a dead letter, uncompressed: what the topic takes even where nothing gives
    way to compression.
    """
    return load_subject(DEAD_LETTERS).file.topic.max_message_bytes - _FRAMING_BYTES


class DeadLetterSink:
    """Writes dead letters and waits until the brokers have them. Not thread-safe.

    One that was written and then, after a crash, is written again has the same id and position:
    readers count distinct ones.

    Args:
        bootstrap: Kafka's address.
        reader: whose dead letters they are.
        codec: makes the codec on first use, as it asks the registry for the schema's id.
    """

    def __init__(self, bootstrap: str, reader: Reader, codec: Callable[[], Codec]) -> None:
        self._make_codec = codec
        self._codec: Codec | None = None
        try:
            self._producer = Producer(
                {
                    "bootstrap.servers": bootstrap,
                    "client.id": reader.service,
                    "logger": _librdkafka_log,
                    "enable.idempotence": True,
                    "linger.ms": 5,
                    "delivery.timeout.ms": _DELIVERY_TIMEOUT_MS,
                    # Checked before compression: a record of one mebibyte may be twenty inside.
                    "message.max.bytes": largest_dead_letter_bytes() + _FRAMING_BYTES,
                    "queue.buffering.max.kbytes": 262_144,
                    "compression.type": "zstd",
                    "partitioner": "murmur2_random",
                }
            )
        except KafkaException as error:
            raise MisconfigurationError(
                f"the Kafka settings are not usable ({reader.settings_prefix}KAFKA_BOOTSTRAP): "
                f"{error}"
            ) from error

    def write(self, letters: Sequence[DeadLetter]) -> None:
        """Write dead letters; returns when all are acknowledged.

        Raises:
            TransientError: at least one was not; write all again.
            MisconfigurationError: one is larger than the topic takes; nothing may move on.
        """
        if self._codec is None:
            self._codec = self._make_codec()
        failures: list[str] = []

        def delivered(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                failures.append(error.str())

        for letter in letters:
            self._produce(letter, self._codec.encode(letter), delivered)
        left = self._producer.flush(_DELIVERY_TIMEOUT_MS / 1000 + 5)
        if left or failures:
            reason = failures[0] if failures else "no acknowledgement in time"
            raise TransientError(f"dead letters could not be written: {reason}")

    def _produce(
        self,
        letter: DeadLetter,
        value: bytes,
        delivered: Callable[[KafkaError | None, Message], None],
    ) -> None:
        if len(value) > largest_dead_letter_bytes():
            raise MisconfigurationError(
                f"the dead letter of {letter.topic}[{letter.partition}]@{letter.offset} has "
                f"{len(value)} bytes, {DEAD_LETTERS} takes {largest_dead_letter_bytes()}: raise "
                "max_message_bytes in its subject.yaml and in Kafka"
            )
        while True:
            try:
                self._producer.produce(
                    DEAD_LETTERS,
                    key=letter.dead_letter_id.encode(),
                    value=value,
                    on_delivery=delivered,
                )
                return
            except BufferError:  # The queue is full: let it drain.
                self._producer.poll(0.1)
