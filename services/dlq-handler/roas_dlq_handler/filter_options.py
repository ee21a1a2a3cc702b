"""The filters as command line options, the same for every verb."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, get_type_hints

import typer

from roas_contracts.errors import InputError
from roas_contracts.events import DeadLetterReason, OriginType
from roas_dlq_handler.selection import Selection, State, parse_key, parse_time

_PANEL = "Which dead letters (all of these must hold; repeat an option for any of its values)"


def _option(help_text: str, *names: str, metavar: str | None = None) -> Any:
    return typer.Option(*names, help=help_text, metavar=metavar, rich_help_panel=_PANEL)


_FILTERS: dict[str, Any] = {
    "ids": Annotated[list[str], _option("Its id, or the beginning of it.", "--id")],
    "reasons": Annotated[
        list[DeadLetterReason],
        _option("Why it failed; `stats` shows which there are.", "--reason", metavar="REASON"),
    ],
    "topics": Annotated[list[str], _option("Topic that it was read from.", "--topic")],
    "origin": Annotated[OriginType | None, _option("KAFKA or FILE.", "--origin")],
    "groups": Annotated[list[str], _option("Consumer group that failed.", "--group")],
    "services": Annotated[list[str], _option("Service that wrote it.", "--service")],
    "since": Annotated[str | None, _option("Failed at or after (UTC, ISO 8601).", "--since")],
    "until": Annotated[str | None, _option("Failed before (UTC, ISO 8601).", "--until")],
    "key": Annotated[str | None, _option("The record's key, as text or 0x… .", "--key")],
    "text": Annotated[
        str | None, _option("Text in the detail, file name, key, value or headers.", "--text")
    ],
    "operation": Annotated[
        str | None, _option("Whose state comes from this operation.", "--operation")
    ],
    "states": Annotated[list[str], _option(f"{', '.join(State)}, or all.", "--state")],
}
_MANY = ("ids", "reasons", "topics", "groups", "services", "states")


def with_filters(*default: State) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command the filters as options; it gets them as `selection`.

    Args:
        default: the states that are meant when none is named.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def wrapper(**arguments: Any) -> None:
            given = {name: arguments.pop(name) for name in _FILTERS}
            command(selection=_selection(default, **given), **arguments)

        hints = get_type_hints(command, include_extras=True)
        own = {
            name: parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
            for name, parameter in inspect.signature(command).parameters.items()
            if name != "selection"
        }
        filters = {
            name: inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=[] if name in _MANY else None,
                annotation=annotation,
            )
            for name, annotation in _FILTERS.items()
        }
        parameters = own | filters
        vars(wrapper).pop("__wrapped__", None)
        wrapper.__annotations__ = {name: one.annotation for name, one in parameters.items()}
        vars(wrapper)["__signature__"] = inspect.Signature(list(parameters.values()))
        return wrapper

    return decorate


def _selection(
    default: tuple[State, ...],
    ids: list[str],
    reasons: list[DeadLetterReason],
    topics: list[str],
    origin: OriginType | None,
    groups: list[str],
    services: list[str],
    since: str | None,
    until: str | None,
    key: str | None,
    text: str | None,
    operation: str | None,
    states: list[str],
) -> Selection:
    if "" in ids:
        raise InputError("--id: an empty one is the beginning of every id")
    return Selection(
        ids=tuple(ids),
        reasons=tuple(reasons),
        topics=tuple(topics),
        origin=origin,
        groups=tuple(groups),
        services=tuple(services),
        operation=operation,
        since=None if since is None else parse_time("--since", since),
        until=None if until is None else parse_time("--until", until),
        key=None if key is None else parse_key(key),
        text=text,
        states=_states(states) or default,
    )


def _states(names: list[str]) -> tuple[State, ...]:
    if "all" in names:
        return tuple(State)
    unknown = sorted(set(names) - {str(state) for state in State})
    if unknown:
        raise typer.BadParameter(f"--state: {unknown[0]!r} is not one of {', '.join(State)} or all")
    return tuple(State(name) for name in names)
