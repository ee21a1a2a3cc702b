"""Whatever fails, each verb says it in one sentence and leaves with the exit code of the README.

Verbs run inside this process: starting one takes far longer than what it does.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from dlq_stack import DlqStack, ServiceProcess, letter, wait_until

from roas_contracts import exit_codes
from roas_contracts.codec import Codec
from roas_contracts.events import AD_CLICKS, DEAD_LETTER_ACTIONS, DeadLetterAction
from roas_contracts.events import DeadLetterActionRecord as ActionRecord
from roas_contracts.service import cli
from roas_dlq_handler import outbox, tool
from roas_dlq_handler.cli import app

NOBODY: Final = "postgresql://nobody@127.0.0.1:9/none"
NO_KAFKA: Final = {"KAFKA_BOOTSTRAP": "127.0.0.1:9"}
NO_REGISTRY: Final = {"REGISTRY_URL": "http://127.0.0.1:9"}
OPERATION: Final = "replay-20260101-000000-abcd"
RULES: Final = """
description: whatever fails
rules:
  - name: nothing to do
    when: {topics: [ad-clicks]}
    steps: []
"""

LOOK: Final = ("ls", "stats", "show", "audit", "export")
SEND: Final = ("replay", "fix", "discard", "restore")
VERBS: Final = (*LOOK, *SEND, "resume", "cancel", "rebind", "run")


@dataclass(frozen=True)
class Done:
    """How a verb ended."""

    code: int
    out: str
    err: str


class World:
    """Three open dead letters, one discarded, one operation that was stopped: and verbs on them."""

    def __init__(self, stack: DlqStack, rules: Path) -> None:
        self.stack = stack
        self.rules = rules
        letters = [letter(number) for number in range(4)]
        self.open_id, self.discarded_id = letters[0].dead_letter_id, letters[3].dead_letter_id
        stack.send(letters)
        codec = Codec.for_topic(DEAD_LETTER_ACTIONS, stack.registry.schema_id(DEAD_LETTER_ACTIONS))
        stack.produce(
            [
                (
                    DEAD_LETTER_ACTIONS,
                    self.discarded_id.encode(),
                    codec.encode(discarded(self.discarded_id)),
                )
            ]
        )
        service = stack.service()
        stack.wait_until_states(open=3, discarded=1)
        assert service.stop() == exit_codes.OK
        stack.query(
            "INSERT INTO errors.operations (operation_id, action, topic, actor, why, selection, "
            "options, up_to_sequence, selected, status) VALUES (%s, 'REPLAY', 'ad-clicks', 'mina', "
            """'', '{"states": ["open"]}', '{"rate": 1000}', 1000, 3, 'stopped') RETURNING 1""",
            OPERATION,
        )

    def arguments(self, verb: str) -> list[str]:
        """A verb as somebody would type it who wants it to do what it is for."""
        own = {
            "show": [self.open_id[:12]],
            "fix": [str(self.rules), "--yes"],
            "replay": ["--yes"],
            "discard": ["--why", "a test", "--yes"],
            "restore": ["--yes"],
            "resume": [OPERATION],
            "cancel": [OPERATION],
            "rebind": ["dead-letters", "--yes"],
        }
        return [verb, *own.get(verb, [])]


def discarded(dead_letter_id: str) -> ActionRecord:
    return ActionRecord(
        dead_letter_id=dead_letter_id,
        action=DeadLetterAction.DISCARD,
        operation_id="discard-20260101-000000-abcd",
        actor="mina",
        why="a test",
        selection="{}",
        topic=None,
        partition=None,
        for_group=None,
        rule=None,
        rules_sha256=None,
        tool_version="0.1.0",
        acted_at=1_767_225_600_000,
    )


@pytest.fixture()
def world(stack: DlqStack, tmp_path: Path) -> Iterator[World]:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    made = World(stack, rules)
    yield made
    # None of all the failures has changed anything.
    assert stack.states() == {"open": 3, "discarded": 1}
    assert stack.committed(AD_CLICKS) == []
    assert len(stack.committed(DEAD_LETTER_ACTIONS)) == 1


class Terminal:
    """Runs verbs one after another in this process."""

    def __init__(
        self, world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        self._world = world
        self._monkeypatch = monkeypatch
        self._capfd = capfd

    def call(self, *arguments: str, **settings: str) -> Done:
        environment = self._world.stack.environment(settings)
        with self._monkeypatch.context() as here:
            for name, value in environment.items():
                if name.startswith("ROAS_DLQ_HANDLER_"):
                    here.setenv(name, value)
            here.setattr(sys, "argv", ["dlq", *arguments])
            with pytest.raises(SystemExit) as left:
                cli.run(app)
        out, err = self._capfd.readouterr()
        assert isinstance(left.value.code, int)
        return Done(left.value.code, out, err)

    def expect(self, code: int, says: str, arguments: list[str], **settings: str) -> None:
        """One sentence, this exit code, and no data."""
        done = self.call(*arguments, **settings)
        assert (done.code, done.out) == (code, ""), (arguments, done)
        assert says in done.err, (arguments, done)
        assert done.err.count("\n") == 1, (arguments, done)


@pytest.fixture()
def terminal(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Terminal:
    return Terminal(world, monkeypatch, capfd)


def test_what_is_answered_at_once(world: World, terminal: Terminal, tmp_path: Path) -> None:
    unavailable, usage, no = exit_codes.UNAVAILABLE, exit_codes.USAGE, exit_codes.NO
    empty = world.stack.servers.postgres.dsn  # A database without our tables.
    for verb in VERBS:
        arguments = world.arguments(verb)
        variable = "ROAS_DLQ_HANDLER_POSTGRES_DSN"
        terminal.expect(usage, variable, arguments, POSTGRES_DSN="")
        terminal.expect(usage, "HEALTH_PORT", arguments, HEALTH_PORT="many")
        wrong = terminal.call(*arguments, "--nonsense", POSTGRES_DSN=NOBODY)
        assert (wrong.code, wrong.out) == (usage, "")
        assert "No such option: --nonsense" in wrong.err
        assert "Traceback" not in wrong.err
        not_utf8 = "not UTF-8: b'\\xff'"
        terminal.expect(usage, not_utf8, [*arguments, "\udcff"], POSTGRES_DSN=NOBODY)
        if verb == "run":  # It waits, or is a process of its own: another test.
            continue
        terminal.expect(usage, variable, arguments, POSTGRES_DSN="nonsense")
        terminal.expect(unavailable, "PostgreSQL does not answer", arguments, POSTGRES_DSN=NOBODY)
        terminal.expect(usage, "lacks the errors schema", arguments, POSTGRES_DSN=empty)

    for verb in ("ls", "stats", "export", *SEND):
        matches_nothing = [*world.arguments(verb), "--key", "nothing"]
        terminal.expect(no, "no dead letter matches", matches_nothing)
        terminal.expect(no, "no dead letter matches", [*world.arguments(verb), "--id", "fffffff"])
        for option, value, says in (
            ("--since", "yesterday", "--since: 'yesterday' is not a time"),
            ("--until", "", "--until: '' is not a time"),
            ("--key", "0xyz", "--key: '0xyz' is not hexadecimal"),
            ("--id", "", "--id: an empty one"),
        ):
            terminal.expect(usage, says, [*world.arguments(verb), option, value])
        for option, value in (("--state", "lost"), ("--reason", "BAD_LUCK"), ("--origin", "disk")):
            wrong = terminal.call(*world.arguments(verb), option, value)
            assert (wrong.code, wrong.out) == (usage, "")
            assert value in wrong.err

    production = {"ENVIRONMENT": "production"}
    for verb in (*SEND, "resume"):
        terminal.expect(no, "--confirm production", world.arguments(verb), **production)
        mistaken = [*world.arguments(verb), "--confirm", "staging"]
        terminal.expect(no, "--confirm production", mistaken, **production)
    for verb in ("replay", "fix"):
        for option, value in (("--rate", "0"), ("--max", "0"), ("--rate", "fast")):
            assert terminal.call(*world.arguments(verb), option, value).code == usage

    broken = tmp_path / "broken.yaml"
    broken.write_text("rules: [")
    misspelt = tmp_path / "misspelt.yaml"
    misspelt.write_text(RULES.replace("steps", "step"))
    for code, says, arguments in (
        (no, "there is no dead letter 'ffff'", ["show", "ffff"]),
        (no, "more than one dead letter begins with ''", ["show", ""]),
        (no, "there is no operation 'x'", ["resume", "x"]),
        (no, "there is no operation 'x'", ["cancel", "x"]),
        (no, f"{OPERATION} does not run", ["cancel", OPERATION]),
        (usage, "--why: a discard needs a reason", ["discard", "--why", " ", "--yes"]),
        (usage, "absent.yaml: No such file", ["fix", str(tmp_path / "absent.yaml")]),
        (usage, "Is a directory", ["fix", str(tmp_path)]),
        (usage, "broken.yaml: not YAML", ["fix", str(broken)]),
        (usage, "misspelt.yaml: rules.0.step", ["fix", str(misspelt)]),
        (usage, "No such file", ["export", "-o", str(tmp_path / "no" / "file")]),
        (usage, "Is a directory", ["export", "-o", str(tmp_path)]),
        (usage, "neither dead-letters nor", ["rebind", "ad-clicks", "--yes"]),
        (no, "not sent twice", ["replay", "--state", "replayed"]),
        (no, "only what was discarded", ["restore", "--state", "open"]),
    ):
        terminal.expect(code, says, arguments)
    assert sorted(path.name for path in tmp_path.iterdir() if "unfinished" in path.name) == []
    assert terminal.call().code == usage
    assert terminal.call("nonsense").code == usage
    # Looking at what does not need Kafka or the registry works without them.
    for verb in ("ls", "stats", "audit"):
        assert terminal.call(verb, **NO_KAFKA, **NO_REGISTRY).code == exit_codes.OK


def test_without_kafka_or_the_registry_nothing_is_changed_and_it_is_said_who_is_away(
    world: World, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As always, but for the patience.
    monkeypatch.setattr(outbox, "_OPENING_SECONDS", 0.5)
    monkeypatch.setattr(tool, "_REGISTRY_PATIENCE_SECONDS", 0.2)
    away = exit_codes.UNAVAILABLE
    for verb in (*SEND, "resume"):
        terminal.expect(away, "Kafka does not answer", world.arguments(verb), **NO_KAFKA)
    for verb in ("show", "export", *SEND, "resume"):
        terminal.expect(away, "the registry at", world.arguments(verb), **NO_REGISTRY)
    terminal.expect(away, "the registry at", ["fix", str(world.rules)], **NO_REGISTRY)


def waits_for(service: ServiceProcess, who: str) -> bool:
    return who in str(service.readiness().get("waiting_for"))


def test_the_service_waits_for_who_is_away_and_stops_for_what_a_person_has_to_change(
    world: World,
) -> None:
    stack = world.stack
    waiting = {
        "PostgreSQL": stack.service(POSTGRES_DSN=NOBODY),
        "Kafka": stack.service(KAFKA_BOOTSTRAP="127.0.0.1:9"),
    }
    with socket.create_server(("127.0.0.1", 0)) as taken:
        stopping = {
            "POSTGRES_DSN is not usable": stack.service(POSTGRES_DSN="nonsense"),
            "lacks the errors schema": stack.service(POSTGRES_DSN=stack.servers.postgres.dsn),
            "can't be opened": stack.service(HEALTH_PORT=str(taken.getsockname()[1])),
        }
        for sentence, service in stopping.items():
            assert service.wait() == exit_codes.USAGE, service.log
            assert sentence in service.log.splitlines()[-1]
    for who, service in waiting.items():
        says = partial(waits_for, service, who)
        wait_until(f"it says that it waits for {who}", says)
        assert service.readiness()["ready"] is False
        assert service.stop() == exit_codes.OK, service.log
