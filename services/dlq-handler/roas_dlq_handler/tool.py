"""What the verbs need of the world, connected as late as possible."""

from __future__ import annotations

import time
from functools import cached_property
from typing import Final

from roas_contracts.decoder import Decoder
from roas_contracts.events import DEAD_LETTERS, DeadLetter
from roas_contracts.registry import Registry, SchemaSource
from roas_contracts.rules import Rules
from roas_dlq_handler import SERVICE
from roas_dlq_handler.library import Library
from roas_dlq_handler.operations import Operations
from roas_dlq_handler.postgres import Connection, connect
from roas_dlq_handler.repair import Repairs
from roas_dlq_handler.rules_file import parse_rules
from roas_dlq_handler.settings import Settings

_REGISTRY_PATIENCE_SECONDS: Final = 5.0


class Tool:
    """PostgreSQL, the registry, and what decodes.

    Args:
        settings: the deployment's.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def close(self) -> None:
        """Close what was opened."""
        if "connection" in vars(self):
            self.connection.close()
        if "registry" in vars(self):
            self.registry.close()

    @cached_property
    def connection(self) -> Connection:
        """To PostgreSQL."""
        return connect(self.settings.postgres_dsn.get_secret_value(), "roas-dlq")

    @cached_property
    def library(self) -> Library:
        """What is stored."""
        return Library(self.connection)

    @cached_property
    def operations(self) -> Operations:
        """What was and is being changed."""
        return Operations(self.connection)

    @cached_property
    def registry(self) -> Registry:
        """The schema registry."""
        return Registry(self.settings.registry_url, patience_seconds=_REGISTRY_PATIENCE_SECONDS)

    @cached_property
    def schemas(self) -> SchemaSource:
        """Writer schemas."""
        return SchemaSource(self.registry)

    @cached_property
    def letters(self) -> Decoder:
        """Decodes dead letters."""
        return Decoder(DEAD_LETTERS, self.schemas, Rules(group=SERVICE))

    def decode(self, encoded: bytes) -> DeadLetter:
        """A stored dead letter."""
        letter = self.letters.decode(encoded, None, now_ms())
        assert isinstance(letter, DeadLetter)
        return letter

    def repairs(self, topic: str, rules: str, name: str) -> Repairs:
        """The repairs of a rules file for a topic."""
        return Repairs(
            parse_rules(rules, name),
            topic,
            self.schemas,
            self.registry,
            self.settings.currency,
            now_ms,
        )


def now_ms() -> int:
    """The wall clock, milliseconds."""
    return time.time_ns() // 1_000_000
