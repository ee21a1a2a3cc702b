"""Command line of the fit: two files of published figures in, model and figures out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from roas_contracts.service.cli import run
from roas_producer.generator.fit import published
from roas_producer.generator.fit.build import build_model
from roas_producer.generator.fit.figures import reduced_figures
from roas_producer.generator.model import FIGURES_FILE, MODEL_FILE

app = typer.Typer(add_completion=False)


@app.command()
def fit(
    statistics: Annotated[Path, typer.Argument(help="JSON file of totals, by hour and by day.")],
    value_counts: Annotated[Path, typer.Argument(help="CSV: field,value,impressions,clicks.")],
    into: Annotated[Path, typer.Option(help="Folder to write both files to.")],
) -> None:
    """Fit the generator's model to published figures and write model and reduced figures."""
    figures = published.load(statistics, value_counts)
    build_model(figures).save(into / MODEL_FILE)
    text = json.dumps(reduced_figures(figures), indent=1, sort_keys=True)
    (into / FIGURES_FILE).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    run(app)
