"""Examples: each decodes, byte for byte, under every version that claims it."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastavro import json_reader, schemaless_writer

from roas_contracts.avro_reading import UndecodableError
from roas_contracts.gate.findings import Finding
from roas_contracts.gate.reading import ReadSubject, ReadVersion
from roas_contracts.gate.schema_tree import Node
from roas_contracts.resolution import UnresolvableError, compile_reader
from roas_contracts.source_lines import SourceLines


def findings(read: ReadSubject) -> Iterator[Finding]:
    """Examples that are no records of a version that they claim, and versions without one."""
    shown = set()
    for example in read.subject.file.examples:
        path = read.subject.directory / example.file
        for number in example.versions:
            shown.add(number)
            yield from _example(read, path, read.versions[number - 1])
    for version in read.versions:
        if version.version.number not in shown:
            yield _without_example(read, version)
    yield from _unlisted(read)


def _example(read: ReadSubject, path: Path, version: ReadVersion) -> Iterator[Finding]:
    try:
        text = path.read_text("utf-8")
        value = json.loads(text)
    except json.JSONDecodeError as error:
        yield _wrong(read, path, version, f"not JSON: {error.msg}", error.lineno, unreadable=True)
        return
    except (OSError, ValueError, RecursionError) as error:
        yield _wrong(read, path, version, f"can't be read: {error}", unreadable=True)
        return
    strange = next(_strange_keys(version.tree, value, ()), None)
    if strange is not None:
        place, what = strange
        yield _wrong(read, path, version, what, SourceLines(text).of(place))
        return
    problem = _undecodable(value, json.loads(version.version.text))
    if problem:
        yield _wrong(read, path, version, problem)


def _undecodable(value: Any, schema: Any) -> str:
    """Write it and read it again as consumers do; "" if all is well."""
    try:
        (datum,) = json_reader(io.StringIO(json.dumps(value)), schema)
        out = io.BytesIO()
        schemaless_writer(out, schema, datum)
    except Exception as error:  # fastavro answers nonsense with whatever it stumbles over.
        return f"it is no record of the schema: {type(error).__name__}: {error}"
    try:
        _, end = compile_reader(schema, schema, {})(out.getvalue(), 0)
    except (UndecodableError, UnresolvableError) as error:
        return f"it can't be read: {error}"
    return "" if end == len(out.getvalue()) else "it leaves bytes behind"


def _strange_keys(
    node: Node, value: Any, place: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Keys that a record does not have, and fields that are missing and have no default."""
    if node.kind == "record" and isinstance(value, dict):
        names = [field.name for field in node.fields]
        for key in value:
            if key not in names:
                yield (*place, key), f"there is no field {key!r}"
        for field in node.fields:
            if field.name not in value and "default" not in field.attributes:
                yield place, f"the field {field.name!r} is missing"
            elif field.name in value:
                yield from _strange_keys(field.node, value[field.name], (*place, field.name))
    elif node.kind == "array" and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strange_keys(node.parts[0], item, (*place, index))


def _unlisted(read: ReadSubject) -> Iterator[Finding]:
    folder = read.subject.directory / "examples"
    listed = {read.subject.directory / example.file for example in read.subject.file.examples}
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        if path not in listed:
            yield Finding(
                kind="unlisted-example",
                topic=read.subject.name,
                file=path,
                at=f"examples/{path.name}",
                what="subject.yaml does not list it",
                why="an example that nobody lists is checked by nobody",
                instead="list it under `examples`, with the versions that it is a record of",
            )


def _without_example(read: ReadSubject, version: ReadVersion) -> Finding:
    return Finding(
        kind="version-without-example",
        topic=read.subject.name,
        version=version.version.number,
        file=read.subject.directory / "subject.yaml",
        line=SourceLines((read.subject.directory / "subject.yaml").read_text("utf-8")).of(
            ("examples",)
        ),
        at="examples",
        what=f"no example is a record of v{version.version.number}",
        why="an example is the proof that records of a version can be read",
        instead=(
            f"add examples/<name>.json (Avro's JSON encoding) and list it with versions: "
            f"[{version.version.number}]"
        ),
    )


def _wrong(
    read: ReadSubject,
    path: Path,
    version: ReadVersion,
    what: str,
    line: int = 1,
    *,
    unreadable: bool = False,
) -> Finding:
    return Finding(
        kind="unreadable" if unreadable else "example-does-not-decode",
        topic=read.subject.name,
        version=version.version.number,
        file=path,
        line=line,
        at=f"examples/{path.name}",
        what=f"under v{version.version.number}: {what}",
        why="" if unreadable else "subject.yaml says that it is a record of that version",
        instead="" if unreadable else "correct the example, or the `versions` that list it",
        unreadable=unreadable,
    )
