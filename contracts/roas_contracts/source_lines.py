"""Which line of a YAML file a place in it is on, and keys that come twice (in JSON too)."""

from collections.abc import Iterator, Sequence

import yaml

Place = Sequence[str | int]
"""Keys and indexes from the file's top."""


class SourceLines:
    """Lines of the places of one file."""

    def __init__(self, text: str) -> None:
        try:
            self._root = yaml.compose(text, Loader=yaml.SafeLoader)
        except (yaml.YAMLError, RecursionError):
            # Few JSON texts are not YAML (tabs before a key): the first line has to do then.
            self._root = None

    def of(self, place: Place) -> int:
        """The line, counted from 1, of the deepest part of a place that the file has."""
        node, line = self._root, 1
        for step in place:
            key, value = _child(node, step)
            if value is None:
                break
            node, line = value, (key or value).start_mark.line + 1
        return line

    def repeated_keys(self) -> Iterator[tuple[str, int]]:
        """Keys that come twice in one object, of which parsers keep the last; with their lines."""
        yield from _repeated(self._root, set())


def _child(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node | None, yaml.Node | None]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return None, node.value[step]
    return None, None


def _repeated(node: yaml.Node | None, seen_nodes: set[int]) -> Iterator[tuple[str, int]]:
    if node is None or id(node) in seen_nodes:  # A YAML anchor may point back.
        return
    seen_nodes.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated(item, seen_nodes)
    if isinstance(node, yaml.MappingNode):
        keys = set()
        for key, value in node.value:
            if key.value in keys:
                yield str(key.value), key.start_mark.line + 1
            keys.add(key.value)
            yield from _repeated(value, seen_nodes)
