"""The topic dead-letters: acknowledged before the offset of the failed record moves."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from roas_contracts.codec import Codec
from roas_contracts.errors import MisconfigurationError, TransientError
from roas_contracts.events import DEAD_LETTERS, DeadLetter

_DELIVERY_TIMEOUT_MS: Final = 20_000

_librdkafka_log = logging.getLogger("roas_cache_writer.librdkafka")


class DeadLetterSink:
    """Writes dead letters and waits until the brokers have them. Not thread-safe.

    One that was written and then, after a crash, is written again has the same id and position:
    readers count distinct ones.

    Args:
        bootstrap: Kafka's address.
        client_id: the service.
        codec: makes the codec on first use, as it asks the registry for the schema's id.
    """

    def __init__(self, bootstrap: str, client_id: str, codec: Callable[[], Codec]) -> None:
        self._make_codec = codec
        self._codec: Codec | None = None
        try:
            self._producer = Producer(
                {
                    "bootstrap.servers": bootstrap,
                    "client.id": client_id,
                    "logger": _librdkafka_log,
                    "enable.idempotence": True,
                    "linger.ms": 5,
                    "delivery.timeout.ms": _DELIVERY_TIMEOUT_MS,
                    "message.max.bytes": 4_194_304,
                    "partitioner": "murmur2_random",
                }
            )
        except KafkaException as error:
            raise MisconfigurationError(
                f"the Kafka settings are not usable (ROAS_CACHE_WRITER_KAFKA_BOOTSTRAP): {error}"
            ) from error

    def write(self, letters: Sequence[DeadLetter]) -> None:
        """Write dead letters; returns when all are acknowledged.

        Raises:
            TransientError: at least one was not; write all again.
        """
        if self._codec is None:
            self._codec = self._make_codec()
        failures: list[str] = []

        def delivered(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                failures.append(error.str())

        for letter in letters:
            value = self._codec.encode(letter)
            while True:
                try:
                    self._producer.produce(
                        DEAD_LETTERS,
                        key=letter.dead_letter_id.encode(),
                        value=value,
                        on_delivery=delivered,
                    )
                    break
                except BufferError:  # The queue is full: let it drain.
                    self._producer.poll(0.1)
        left = self._producer.flush(_DELIVERY_TIMEOUT_MS / 1000 + 5)
        if left or failures:
            reason = failures[0] if failures else "no acknowledgement in time"
            raise TransientError(f"dead letters could not be written: {reason}")
