"""A page of Markdown for each subject: from the contract, and from a search of the code."""

from collections.abc import Iterator, Mapping
from typing import Final

from roas_contracts.gate.differences import changes, type_in_words
from roas_contracts.gate.evolution import rollouts
from roas_contracts.gate.field_uses import users
from roas_contracts.gate.reading import ReadSubject
from roas_contracts.gate.schema_tree import Field, all_fields

NOTE: Final = "<!-- Written by `./roas contracts docs`. Change the contract, then run it again. -->"
"""First line of every page; a file without it is somebody else's."""

_USES: Final = "\n## Where each field is used\n"


def index(subjects: list[ReadSubject]) -> str:
    """The page that lists the others."""
    lines = [
        NOTE,
        "# Contracts",
        "",
        "Each topic carries one record type; its folder is `contracts/avro/<topic>`.",
        "",
        "| topic | record | versions | owner | what |",
        "|---|---|---|---|---|",
    ]
    for read in subjects:
        subject = read.subject
        lines.append(
            f"| [{subject.name}]({subject.name}.md) | `{_short(subject.record_name)}` | "
            f"{len(read.versions)} | {subject.file.owner} | {_cell(subject.file.description)} |"
        )
    return "\n".join(lines) + "\n"


def page(read: ReadSubject, words: Mapping[str, frozenset[str]]) -> str:
    """One subject's page."""
    lines = [*_head(read), *_fields(read), *_versions(read), *_topic(read), *_uses(read, words)]
    return "\n".join(lines) + "\n"


def of_the_contract(text: str) -> str:
    """A page without what a search of the code found, which changes with any code."""
    return text.partition(_USES)[0]


def _head(read: ReadSubject) -> Iterator[str]:
    subject = read.subject
    yield from (NOTE, f"# {subject.name}", "")
    yield from (str(read.versions[-1].tree.attributes.get("doc", "")), "")
    yield from ("| | |", "|---|---|")
    yield f"| record | `{subject.record_name}` |"
    yield f"| owner | {subject.file.owner} |"
    yield f"| written by | {', '.join(subject.file.producers)} |"
    yield f"| read by | {', '.join(subject.file.consumers)} |"
    yield f"| compatibility | {subject.file.compatibility} |"
    yield f"| versions | {', '.join(f'v{v.version.number}' for v in read.versions)} |"


def _fields(read: ReadSubject) -> Iterator[str]:
    yield from (
        "",
        f"## Fields of v{read.versions[-1].version.number}",
        "",
        "`?` is nullable.",
        "",
        "| field | type | unit | since | what |",
        "|---|---|---|---|---|",
    )
    for field in all_fields(read.versions[-1].tree):
        yield (
            f"| `{field.path}` | {_cell(type_in_words(field.node))} | {_unit(field)} | "
            f"v{_since(read, field.path)} | {_cell(field.doc)} |"
        )


def _uses(read: ReadSubject, words: Mapping[str, frozenset[str]]) -> Iterator[str]:
    yield from (
        _USES.rstrip("\n"),
        "",
        "Which code names the field, of the parts that write or read the topic, and of the ledger: "
        "a search for the word when this page was written.",
        "",
        "| field | named by |",
        "|---|---|",
    )
    about = dict.fromkeys([*read.subject.file.producers, *read.subject.file.consumers, "ledger"])
    for field in all_fields(read.versions[-1].tree):
        yield f"| `{field.path}` | {', '.join(users(field.name, about, words)) or '—'} |"


def _versions(read: ReadSubject) -> Iterator[str]:
    for old, new, rollout in zip(read.versions, read.versions[1:], rollouts(read), strict=False):
        yield from ("", f"## v{old.version.number} to v{new.version.number}", "")
        for each in changes(old.tree, new.tree):
            yield f"- {each.how} `{each.at}`: {each.what}"
        yield f"- rollout: {rollout.first.in_words}"
    if read.subject.file.waivers:
        yield from ("", "## Waived lints", "")
        for waiver in read.subject.file.waivers:
            yield f"- {waiver.lint} at `{waiver.at}` since v{waiver.since}: {waiver.reason}"


def _topic(read: ReadSubject) -> Iterator[str]:
    yield from ("", "## Topic", "", "| | |", "|---|---|")
    for key, value in read.subject.file.topic.model_dump().items():
        yield f"| {key} | {value} |"
    yield from ("", "## Examples", "")
    for example in read.subject.file.examples:
        link = f"../../contracts/avro/{read.subject.name}/{example.file}"
        numbers = ", ".join(f"v{number}" for number in example.versions)
        yield f"- [{example.file.removeprefix('examples/')}]({link}): {numbers}"


def _unit(field: Field) -> str:
    logical = {node.logical_type for node in field.node.branches} - {None}
    if "timestamp-millis" in logical:
        return "ms since 1970, UTC"
    if field.name.endswith("_micros"):
        return "millionths of the currency"
    for ending, unit in (("_ms", "ms"), ("_bytes", "bytes"), ("currency", "ISO 4217")):
        if field.name.endswith(ending):
            return unit
    return ""


def _since(read: ReadSubject, path: str) -> int:
    for version in read.versions:
        if any(field.path == path for field in all_fields(version.tree)):
            return version.version.number
    return read.versions[-1].version.number


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
