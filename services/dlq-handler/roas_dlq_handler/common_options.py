"""Options that several verbs have, beside the filters."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it. Without, only show what would happen.")]
Confirm = Annotated[
    str | None,
    typer.Option("--confirm", help="The environment's name, needed unless it is local."),
]
Rate = Annotated[int, typer.Option(min=1, max=100_000, help="At most so many a second.")]
Most = Annotated[int | None, typer.Option("--max", min=1, help="At most so many in all.")]
ForGroup = Annotated[
    str | None,
    typer.Option("--for-group", help="Only for this consumer group: the others skip it."),
]
Actor = Annotated[
    str | None, typer.Option("--as", help="Who does it; the system's user where none is named.")
]
Why = Annotated[str, typer.Option("--why", help="Why, for the audit.")]
