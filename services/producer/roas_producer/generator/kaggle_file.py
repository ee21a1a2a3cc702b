"""Generated rows as a file in Kaggle's format: ``python -m roas_producer.generator.kaggle_file``.

For benchmarks and tries of ``replay`` by those who do not have the real file.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from roas_contracts.errors import MisconfigurationError
from roas_contracts.service.cli import run
from roas_producer.generator import GeneratorOptions, rows
from roas_producer.kaggle import TRAIN_COLUMNS
from roas_producer.rows import AdRow

app = typer.Typer(add_completion=False)


def lines(options: GeneratorOptions) -> Iterator[str]:
    """The header, then a line for each row."""
    yield ",".join(TRAIN_COLUMNS) + "\n"
    for block in rows(options):
        hour = datetime.fromtimestamp(block.start_ms / 1000, UTC).strftime("%y%m%d%H")
        for row in block.rows:
            yield _line(row, hour)


def _line(row: AdRow, hour: str) -> str:
    click = "1" if row.click else "0"
    return ",".join((row.id, click, hour, *map(str, row[3:]))) + "\n"


@app.command()
def write(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write.")],
    rows: Annotated[int, typer.Option(min=1, help="How many rows.")],
    hours: Annotated[int, typer.Option(min=1, help="How many hours they are spread over.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Another seed gives other rows.")] = 1,
) -> None:
    """Write generated rows as a CSV file like Kaggle's train file."""
    options = GeneratorOptions(rows=rows, hours=hours, seed=seed)
    try:
        with file.open("w", encoding="utf-8") as out:
            out.writelines(lines(options))
    except OSError as error:
        raise MisconfigurationError(f"{file} can't be written: {error.strerror}") from None


if __name__ == "__main__":
    run(app)
