"""Each version against its predecessors: by the subject's mode, and by the lints of a change."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from roas_contracts.compatibility import ModeIncompatibility, check_mode, incompatibilities
from roas_contracts.gate import evolution_lints
from roas_contracts.gate.advice import instead_of
from roas_contracts.gate.findings import Finding
from roas_contracts.gate.lints import LINTS
from roas_contracts.gate.reading import ReadSubject, ReadVersion
from roas_contracts.gate.rollout import First, Rollout, affected, first
from roas_contracts.gate.schema_tree import all_fields, locate
from roas_contracts.gate.waivers import Waivers


def rollouts(read: ReadSubject) -> list[Rollout]:
    """Who may roll out each version first, the first version left out."""
    return [
        Rollout(read.subject.name, new.version.number, _order(new, old))
        for old, new in zip(read.versions, read.versions[1:], strict=False)
    ]


def incompatible(read: ReadSubject) -> Iterator[Finding]:
    """What breaks the subject's compatibility mode."""
    mode = read.subject.file.compatibility
    for index, new in enumerate(read.versions):
        previous = read.versions[:index]
        found = check_mode(mode, new.schema, [old.schema for old in previous])
        for same in _once(found):
            yield _incompatible(read, new, previous, same)


def objections(read: ReadSubject, waivers: Waivers) -> Iterator[Finding]:
    """What the lints of a change object to; under NONE nobody reads two versions."""
    mode = read.subject.file.compatibility
    if mode == "NONE":
        return
    for index, new in enumerate(read.versions):
        older = read.versions[:index][::-1]
        said = set()
        for old in older if mode.endswith("TRANSITIVE") else older[:1]:
            for each in evolution_lints.objections(new.tree, old.tree):
                numbers = (new.version.number, old.version.number)
                known = (each.lint, each.at) in said
                said.add((each.lint, each.at))
                # A waiver of this change does not waive the same lint between other versions.
                if waivers.covers(each.lint, each.at, *numbers) or known:
                    continue
                yield Finding(
                    kind=each.lint,
                    topic=read.subject.name,
                    version=new.version.number,
                    file=new.version.path,
                    line=new.line(each.pointer),
                    at=each.at,
                    what=f"{each.what} (v{numbers[1]} to v{numbers[0]})",
                    why=f"Avro allows it, but {LINTS[each.lint].why}",
                    instead=LINTS[each.lint].instead,
                )


def _once(found: Sequence[ModeIncompatibility]) -> list[list[ModeIncompatibility]]:
    """What is incompatible with several versions in the same way is one thing to say."""
    same: dict[tuple[str, str, str, str], list[ModeIncompatibility]] = {}
    for each in found:
        what = each.incompatibility
        key = (each.direction, what.type, what.path, what.message)
        same.setdefault(key, []).append(each)
    return list(same.values())


def _incompatible(
    read: ReadSubject,
    new: ReadVersion,
    previous: Sequence[ReadVersion],
    same: Sequence[ModeIncompatibility],
) -> Finding:
    direction, what = same[-1].direction, same[-1].incompatibility
    old = previous[same[-1].against_index]
    reader = new if direction == "BACKWARD" else old
    at, pointer = locate(reader.tree, what.path.rstrip("/"))
    if reader is old:  # The older file is not the one to change: the same place in the new one.
        pointer = _pointer_of(new, at)
    numbers = ", ".join(f"v{previous[each.against_index].version.number}" for each in same)
    newer = f"v{new.version.number}"
    reads, wrote = (newer, numbers) if direction == "BACKWARD" else (numbers, newer)
    order = _order(new, old)
    kind, words = what.type.value, _in_words(what.type, what.message)
    if _is_enum_without_default(reader, old if reader is new else new, at, what.message):
        kind = "READER_FIELD_MISSING_DEFAULT_VALUE"
        words = (
            f"the field {at} is missing there, and has no default to be read instead (its enum's "
            "default is for symbols)"
        )
    return Finding(
        kind="incompatible",
        topic=read.subject.name,
        version=new.version.number,
        file=new.version.path,
        line=new.line(pointer),
        at=at,
        what=f"{reads} can't read what {wrote} writes: {words}",
        why=(
            f"the mode {read.subject.file.compatibility} promises that it can (Avro's {what.type} "
            f"at {what.path} of v{reader.version.number})"
        ),
        affected=affected(read.subject, direction, new.version.number, old.version.number, order),
        instead=instead_of(kind, direction),
    )


def _is_enum_without_default(
    reader: ReadVersion, writer: ReadVersion, at: str, message: str
) -> bool:
    """Avro's words for it are about an enum and the record that lacks the field."""
    types = _TYPES.fullmatch(message)
    return (
        types is not None
        and types.groups() == ("ENUM", "RECORD")
        and any(f.path == at and f.node.kind == "enum" for f in all_fields(reader.tree))
        and all(f.path != at for f in all_fields(writer.tree))
    )


_TYPES: Final = re.compile(r"reader type: (\w+) not compatible with writer type: (\w+)")
_BRANCH: Final = re.compile(r"reader union lacking writer type: (\w+)")


def _in_words(kind: str, message: str) -> str:
    if types := _TYPES.fullmatch(message):
        return f"{_with_article(types[2])} can't be read as {_with_article(types[1])}"
    if branch := _BRANCH.fullmatch(message):
        return f"it has no place for {_with_article(branch[1])} here"
    match kind:
        case "READER_FIELD_MISSING_DEFAULT_VALUE":
            return f"the field {message} is missing there, and has no default to be read instead"
        case "MISSING_ENUM_SYMBOLS":
            return f"it does not know the symbols {message}, and its enum has no default"
        case "NAME_MISMATCH":
            return f"the type has another name ({message})"
        case "FIXED_SIZE_MISMATCH":
            return f"the size is another ({message})"
    return message


def _with_article(kind: str) -> str:
    name = kind.lower()
    if name in ("null", "bytes"):
        return name
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def _pointer_of(version: ReadVersion, at: str) -> str:
    return next((f.pointer for f in all_fields(version.tree) if f.path == at), "")


def _order(new: ReadVersion, old: ReadVersion) -> First:
    return first(
        new_reads_old=not incompatibilities(reader=new.schema, writer=old.schema),
        old_reads_new=not incompatibilities(reader=old.schema, writer=new.schema),
    )
