"""The topics that a command is asked about."""

from collections.abc import Sequence
from typing import Annotated

import typer

from roas_contracts.errors import InputError
from roas_contracts.subjects import Subject, load_subjects

TopicNames = Annotated[
    list[str] | None, typer.Argument(help="Topics; all of them when none is named.")
]


def chosen(topics: Sequence[str] | None) -> list[Subject]:
    """The subjects of these topics, or all.

    Raises:
        InputError: there is no contract for one of them.
    """
    subjects = load_subjects()
    unknown = sorted(set(topics or ()) - subjects.keys())
    if unknown:
        raise InputError(
            f"there is no contract for {', '.join(unknown)}: there are {', '.join(subjects)}"
        )
    return [subject for name, subject in subjects.items() if not topics or name in topics]
