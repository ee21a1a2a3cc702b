"""What was published once is never changed: the files now against those of the base."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import yaml

from roas_contracts.gate import published
from roas_contracts.gate.base import Base
from roas_contracts.gate.findings import Finding
from roas_contracts.gate.lints import LINTS
from roas_contracts.gate.waivers import Waivers
from roas_contracts.source_lines import Place, SourceLines
from roas_contracts.subjects import VERSION_FILE, Subject, SubjectFile

_WHY: Final = "records written with it are in topics and archives, and its id is in the registry"
_PROMISES: Final[Mapping[str, frozenset[str]]] = {
    "NONE": frozenset(),
    "BACKWARD": frozenset(("backward",)),
    "BACKWARD_TRANSITIVE": frozenset(("backward", "all backward")),
    "FORWARD": frozenset(("forward",)),
    "FORWARD_TRANSITIVE": frozenset(("forward", "all forward")),
    "FULL": frozenset(("backward", "forward")),
    "FULL_TRANSITIVE": frozenset(("backward", "all backward", "forward", "all forward")),
}


def changed_versions(
    directory: Path, fingerprints: Mapping[str, str], bases: Sequence[Base]
) -> Iterator[Finding]:
    """Versions that were edited, deleted, renamed or moved since they were published.

    Args:
        directory: the folder with one folder per topic.
        fingerprints: from published.sha256.
        bases: newest first; the oldest one that has a version says how it was published.
    """
    now = published.versions_in(directory)
    known = {name: content for base in bases for name, content in _versions(base).items()}
    prints = {**fingerprints, **{name: published.sha256(known[name]) for name in known}}
    moved = {published.sha256(content): name for name, content in _everything(directory)}
    for name in sorted(prints):
        if name not in now:
            yield _gone(directory, name, moved.get(prints[name]))
            continue
        print_now = published.sha256(now[name])
        if print_now != prints[name]:
            if bases and name not in known:
                yield _edited_draft(directory, name)
            else:
                yield _edited(directory, name, known.get(name), now[name])
        elif print_now != fingerprints.get(name, print_now):
            yield _wrong_fingerprint(directory, name)
    for name in sorted(now.keys() - fingerprints.keys()):
        yield _unpublished(directory, name)


def changed_promises(subject: Subject, base: Base, waivers: Waivers) -> Iterator[Finding]:
    """What subject.yaml promised on the base and does not any more."""
    content = base.files.get(f"{subject.name}/subject.yaml")
    before = _subject_file(content)
    if before is None:
        return
    now, latest = subject.file, subject.latest.number
    path = subject.directory / "subject.yaml"
    lines = SourceLines(path.read_text("utf-8"))

    def objection(lint: str, at: str, place: Place, what: str) -> Iterator[Finding]:
        if not waivers.covers(lint, at, latest):
            yield Finding(
                kind=lint,
                topic=subject.name,
                file=path,
                line=lines.of(place),
                at=at,
                what=what,
                why=LINTS[lint].why,
                affected=f"consumers ({', '.join(now.consumers)})",
                instead=LINTS[lint].instead,
            )

    if not _PROMISES[before.compatibility] <= _PROMISES[now.compatibility]:
        yield from objection(
            "compatibility-weakened",
            "compatibility",
            ("compatibility",),
            f"{before.compatibility} became {now.compatibility}",
        )
    if before.topic.partitions != now.topic.partitions:
        yield from objection(
            "partitions-changed",
            "topic.partitions",
            ("topic", "partitions"),
            f"{before.topic.partitions} partitions became {now.topic.partitions}",
        )
    if before.topic.cleanup_policy != now.topic.cleanup_policy:
        yield from objection(
            "cleanup-policy-changed",
            "topic.cleanup_policy",
            ("topic", "cleanup_policy"),
            f"{before.topic.cleanup_policy} became {now.topic.cleanup_policy}",
        )
    kept = {(example.file, number) for example in now.examples for number in example.versions}
    for example in before.examples:
        for number in example.versions:
            if (example.file, number) not in kept:
                yield from objection(
                    "example-removed",
                    example.file,
                    ("examples",),
                    f"{example.file} is listed for v{number} no more",
                )


def _versions(base: Base) -> Mapping[str, bytes]:
    return {
        name: content
        for name, content in base.files.items()
        if name.count("/") == 1 and VERSION_FILE.fullmatch(name.partition("/")[2])
    }


def _subject_file(content: bytes | None) -> SubjectFile | None:
    """What subject.yaml said; None where it said nothing that today's code understands."""
    try:
        return None if content is None else SubjectFile.model_validate(yaml.safe_load(content))
    except (yaml.YAMLError, ValueError):
        return None


def _everything(directory: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            yield path.relative_to(directory).as_posix(), path.read_bytes()


def _edited(directory: Path, name: str, before: bytes | None, now: bytes) -> Finding:
    line = 1 if before is None else _first_difference(before, now)
    return _finding(
        directory,
        name,
        "edited-version",
        f"{name} is published and was edited",
        "undo the edit (git checkout), and put the change into a new version",
        line=line,
    )


def _edited_draft(directory: Path, name: str) -> Finding:
    return _finding(
        directory,
        name,
        "edited-version",
        f"{name} was edited after `publish`",
        "run `./roas contracts publish` again if the edit is meant, else undo it (git checkout)",
        why=f"{published.FILE_NAME} has the fingerprint of what it was; the base branch does not "
        "have this version yet, so it may still change",
    )


def _gone(directory: Path, name: str, found: str | None) -> Finding:
    topic = name.split("/")[0]
    if found is None:
        what = f"{name} is published and is gone"
    elif (directory / topic).is_dir():
        what = f"{name} is published and was renamed to {found}"
    else:
        what = f"{name} is published and was moved to {found}: a topic's name is its subject's"
    return _finding(
        directory,
        name,
        "deleted-version" if found is None else "renamed-version",
        what,
        f"put it back as {name}; a topic that nobody uses any more keeps its folder",
    )


def _wrong_fingerprint(directory: Path, name: str) -> Finding:
    return _finding(
        directory,
        name,
        "edited-fingerprint",
        f"{name} is as it was published, but {published.FILE_NAME} says otherwise",
        f"undo the edit of {published.FILE_NAME} (git checkout)",
        why="where there is no git, the fingerprint alone says what was published",
    )


def _unpublished(directory: Path, name: str) -> Finding:
    return _finding(
        directory,
        name,
        "unpublished-version",
        f"{name} is not in {published.FILE_NAME}",
        f"run `./roas contracts publish` when the version is as it shall be for ever, and commit "
        f"{published.FILE_NAME} with it",
        why="a version becomes immutable by its fingerprint: what is not listed could be edited",
    )


def _finding(
    directory: Path,
    name: str,
    kind: str,
    what: str,
    instead: str,
    *,
    line: int = 1,
    why: str = _WHY,
) -> Finding:
    topic, _, file = name.partition("/")
    match = VERSION_FILE.fullmatch(file)
    return Finding(
        kind=kind,
        topic=topic,
        version=int(match[1]) if match else None,
        file=directory / name,
        line=line,
        what=what,
        why=why,
        instead=instead,
    )


def _first_difference(before: bytes, now: bytes) -> int:
    old, new = before.splitlines(), now.splitlines()
    for number, (one, other) in enumerate(zip(old, new, strict=False), 1):
        if one != other:
            return number
    return max(1, min(len(old), len(new)))
