"""The compatibility rule beside Apache Avro's Java, and rules with a planted bug beside it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence

import pytest
from planted_bugs import MUTANTS

from roas_contracts.compatibility import IncompatibilityType
from roas_fuzz.comparison import Report, compare
from roas_fuzz.oracle import AvroOracle, OracleAnswer
from roas_fuzz.pairs import Pair, pairs
from roas_local.install import default_toolchain

SEED = 20261125
PAIRS = 4000
MUTANT_PAIRS = 2500
"""A planted bug is found within so many pairs."""


@pytest.fixture(scope="module")
def class_path() -> str:
    return ":".join(map(str, default_toolchain().avro_oracle_jars()))


@pytest.fixture(scope="module")
def oracle(class_path: str) -> Iterator[AvroOracle]:
    with AvroOracle(default_toolchain().java(), class_path) as started:
        yield started


class Recorded:
    """Java's answers to the pairs of the mutants, asked for once."""

    def __init__(self, oracle: AvroOracle) -> None:
        self.pairs = list(pairs(SEED, MUTANT_PAIRS))
        answers = oracle.ask(self.pairs)
        self._answers = {p.number: a for p, a in zip(self.pairs, answers, strict=True)}

    def ask(self, pairs: Sequence[Pair]) -> list[OracleAnswer]:
        return [self._answers[pair.number] for pair in pairs]


@pytest.fixture(scope="module")
def recorded(oracle: AvroOracle) -> Recorded:
    return Recorded(oracle)


def compared(source: Iterable[Pair], oracle: AvroOracle) -> Report:
    *_, report = compare(source, oracle)
    return report


def test_no_disagreement_with_apache_avro(oracle: AvroOracle) -> None:
    report = compared(pairs(SEED, PAIRS), oracle)
    print(json.dumps(report.as_dict(), indent=1))
    assert report.pairs == PAIRS
    assert report.disagreements == 0, report.kept
    assert report.missing_types() == []
    assert min(report.verdicts[name] for name in ("compatible", "incompatible", "invalid")) > 1000


def test_the_deepest_and_the_strangest_agree(oracle: AvroOracle) -> None:
    def deep(levels: int, leaf: str) -> str:
        return '{"type":"array","items":' * levels + f'"{leaf}"' + "}" * levels

    def fixed(size: str) -> str:
        return f'{{"type":"fixed","name":"F","size":{size}}}'

    def enum(*symbols: str) -> str:
        return json.dumps({"type": "enum", "name": "E", "symbols": symbols}, ensure_ascii=False)

    def attribute(value: str) -> str:
        return f'{{"type":"int","x":{value}}}'

    texts = [
        ("[" * 2000, '""'),
        (deep(300, "int"), deep(300, "long")),
        (deep(1001, "int"), "1" * 1001),
        ('"int" ', '"int"\x00'),
        (attribute("9" * 1000), attribute("9" * 1001)),
        (fixed("2147483639"), fixed("2147483640")),
        (fixed("1.0"), fixed("1e0")),
        (enum("Ünïcode", "x١", "_"), enum("x²")),
        (enum("a", "a"), enum("١")),
        ('{"type":"int","type":"long"}', '{"type":"record","name":"R","fields":[],"fields":[1]}'),
    ]
    report = compared([Pair(n, *both) for n, both in enumerate(texts)], oracle)
    assert report.disagreements == 0, report.kept


@pytest.mark.parametrize("plant", MUTANTS, ids=lambda plant: plant.__name__)
def test_a_planted_bug_is_found(
    plant: Callable[[pytest.MonkeyPatch], None],
    recorded: Recorded,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant(monkeypatch)
    # Up to the first disagreement.
    assert any(report.disagreements for report in compare(recorded.pairs, recorded))


def test_the_command_line_says_what_it_saw(class_path: str) -> None:
    settings = {
        "ROAS_CONTRACTS_ORACLE_JARS": class_path,
        "ROAS_CONTRACTS_ORACLE_JAVA": str(default_toolchain().java()),
    }
    done = subprocess.run(
        [sys.executable, "-m", "roas_fuzz", "fuzz", "--pairs", "100", "--seed", "3", "--json"],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["pairs"], report["disagreements"], report["seed"]) == (100, 0, 3)
    assert set(report["types"]) == {kind.value for kind in IncompatibilityType}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"ROAS_CONTRACTS_ORACLE_JARS": ""}, "ROAS_CONTRACTS_ORACLE_JARS is not set"),
        ({"ROAS_CONTRACTS_ORACLE_JARS": "nowhere.jar"}, "Java ended: Error: Could not find"),
        ({"ROAS_CONTRACTS_ORACLE_JAVA": "/no/java"}, "/no/java can't be started: No such file"),
    ],
)
def test_without_java_it_says_what_is_missing(
    class_path: str, settings: dict[str, str], said: str
) -> None:
    given = {
        "ROAS_CONTRACTS_ORACLE_JARS": class_path,
        "ROAS_CONTRACTS_ORACLE_JAVA": str(default_toolchain().java()),
        **settings,
    }
    done = subprocess.run(
        [sys.executable, "-m", "roas_fuzz", "fuzz", "--pairs", "10"],
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
