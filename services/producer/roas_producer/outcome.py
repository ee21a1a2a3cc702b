"""How a run ended, for a person or a script."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rich.console import Console

from roas_producer.app import Outcome, summary
from roas_producer.display import utc


def print_outcome(outcome: Outcome, errata: Path | None, as_json: bool, advice: str) -> None:
    """Say how a run ended; ``advice`` is what to do with an errata file."""
    if as_json:
        sys.stdout.write(json.dumps(summary(outcome)) + "\n")
        return
    done, out = outcome.progress, Console(highlight=False)
    if outcome.already_finished:
        out.print(
            f"{done.input_name} was sent to its end before ({done.impressions:,} impressions, "
            f"{done.clicks:,} clicks, {done.conversions:,} conversions): nothing to do. "
            "--again NAME sends it anew.",
            soft_wrap=True,
        )
        return
    rate = outcome.sent_events / outcome.seconds if outcome.seconds > 0 else 0
    state = "sent to its end" if done.finished else "stopped; the same command goes on from here"
    out.print(
        f"{done.input_name}: {state}\n"
        f"  rows         {done.rows_read:>12,}\n"
        f"  impressions  {done.impressions:>12,}\n"
        f"  clicks       {done.clicks:>12,}\n"
        f"  conversions  {done.conversions:>12,}\n"
        f"  dead letters {done.dead_letters:>12,}\n"
        f"  event time   {utc(done.emitted_through) or 'none'}\n"
        f"  now          {outcome.sent_events:>12,} in {outcome.seconds:,.1f} s ({rate:,.0f}/s)",
        soft_wrap=True,
    )
    if done.dead_letters and errata is not None:
        out.print(f"  bad rows are in {errata}: {advice}", soft_wrap=True)
