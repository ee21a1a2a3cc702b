"""`./roas test`: every check of the repository, in the order in which failing is cheapest."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from roas_build import checkout, daemon, reports
from roas_build.checkout import Checkout
from roas_build.launcher import PantsLauncher, find_pants
from roas_contracts import exit_codes
from roas_contracts.errors import InputError

_SERVER_TESTS_AT_ONCE: Final = 3
"""Test files that start servers, run side by side. They wait more than they compute: with two at a
time a whole run kept two cores busy for 55 % of its half hour. Each needs up to 2.5 GB."""


@dataclass(frozen=True, slots=True)
class Step:
    """One named check; `run` gives its exit code."""

    name: str
    run: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step ended and what its tests reported."""

    name: str
    exit_code: int
    seconds: float
    totals: reports.Totals

    @property
    def passed(self) -> bool:
        """Whether the step did what it should."""
        return self.exit_code == 0 and self.totals.failed == 0


def run_tests(
    *,
    unit: bool = False,
    integration: bool = False,
    long: bool = False,
    only: str | None = None,
    force: bool = False,
) -> int:
    """Run the checks and print, last on stdout, `N passed, N failed, N skipped`.

    Without options: BUILD files complete, lint and formatting, types, visibility, unit tests,
    integration tests. A failed step does not keep the later ones from running.

    Args:
        unit: the unit tests only.
        integration: the integration tests only (with `unit`: both, without the other checks).
        long: the long integration tests only, which take minutes each and which no run without
            this option has.
        only: the tests of this file or folder only, given relative to the checkout's root.
        force: run tests again that passed with the same inputs before.

    Returns:
        0 when all passed, else 1.

    Raises:
        InputError: `only` does not exist.
        TransientError, MisconfigurationError: Pants is not to be had; the message says why.
    """
    where = checkout.current()
    target = "::" if only is None else _target(where, only)
    pants = find_pants()
    print(f"Pants from {pants.origin}", file=sys.stderr)
    shutil.rmtree(where.reports, ignore_errors=True)
    steps = _steps(where, pants, target, unit, integration, long, only is not None, force)
    try:
        outcomes = [_run(step, where) for step in steps]
    finally:
        # A person's next run is faster with the daemon; a CI job has no next run.
        if "CI" in os.environ:
            daemon.stop(where.root)
    return summarize(outcomes)


def _steps(
    where: Checkout,
    pants: PantsLauncher,
    target: str,
    unit: bool,
    integration: bool,
    long: bool,
    only: bool,
    force: bool,
) -> list[Step]:
    everything = not (unit or integration or long)

    def goal(name: str, *arguments: str) -> Step:
        plain = [] if sys.stderr.isatty() else ["--no-dynamic-ui", "--no-colors"]
        return Step(name, lambda: pants.run([*plain, *arguments], root=where.root))

    def tests(kind: str) -> Step:
        options = ["--force"] if force else []
        # Without Pants' daemon, which drops a run when the machine is so busy that its client
        # keeps silent for some seconds: integration tests make it that busy.
        at_once = f"--process-execution-local-parallelism={_SERVER_TESTS_AT_ONCE}"
        globally = ["--no-pantsd", *([at_once] if kind == "integration" else [])]
        return goal(f"{kind} tests", *globally, f"--tag={kind}", "test", *options, target)

    steps = []
    if everything and not only:
        steps += [
            goal("BUILD files complete", "tailor", "--check", "::"),
            goal("lint and formatting", "lint", "::"),
            goal("types", "check", "::"),
            Step("visibility rules", lambda: _repository_tests(where)),
        ]
    if unit or everything:
        steps.append(tests("unit"))
    if integration or long or everything:
        steps.append(Step("components", lambda: _install_components(where)))
    if integration or everything:
        steps.append(tests("integration"))
    if long:
        steps.append(tests("long"))
    return steps


def _repository_tests(where: Checkout) -> int:
    """Tests of the build itself: they run Pants, so they can't run inside one of its sandboxes."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "tests/build", "-p", "no:cacheprovider"),
            f"--junit-xml={where.reports / 'tests.build.xml'}",
        ],
        cwd=where.root,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode


def _install_components(where: Checkout) -> int:
    """Install what integration tests start: once, with a progress bar, not within a test's time."""
    command = [sys.executable, "-m", "roas_local", "install", "--batch"]
    return subprocess.run(command, cwd=where.root, stdin=subprocess.DEVNULL, check=False).returncode


def _run(step: Step, where: Checkout) -> Outcome:
    before = reports.read(where.reports)
    print(f"\n== {step.name}", file=sys.stderr, flush=True)
    start = time.monotonic()
    exit_code = step.run()
    seconds = time.monotonic() - start
    totals = reports.read(where.reports) - before
    verdict = "ok" if exit_code == 0 else f"failed (exit code {exit_code})"
    print(f"== {step.name}: {verdict}, {seconds:.0f} s", file=sys.stderr, flush=True)
    return Outcome(step.name, exit_code, seconds, totals)


def summarize(outcomes: Sequence[Outcome]) -> int:
    """Print a table and, last, the sum over all cases; the exit code of the whole.

    A step that failed without a failed case (lint, a test file that timed out) counts as one.
    """
    width = max(len(outcome.name) for outcome in outcomes)
    print()
    for outcome in outcomes:
        verdict = "ok    " if outcome.passed else "FAILED"
        tests = f"   {outcome.totals}" if outcome.totals != reports.Totals() else ""
        print(f"{outcome.name:<{width}}  {verdict}  {outcome.seconds:5.0f} s{tests}")
    totals = sum((outcome.totals for outcome in outcomes), reports.Totals())
    failed = [outcome for outcome in outcomes if not outcome.passed]
    silent = sum(1 for outcome in failed if outcome.totals.failed == 0)
    print(totals + reports.Totals(failed=silent), flush=True)
    return exit_codes.NO if failed else exit_codes.OK


def _target(where: Checkout, only: str) -> str:
    path = (where.root / only).resolve()
    if not path.is_relative_to(where.root.resolve()) or not path.exists():
        raise InputError(f"--only {only}: there is no such file or folder in {where.root}")
    relative = path.relative_to(where.root.resolve())
    if path.is_file():
        return str(relative)
    return "::" if relative == relative.parent else f"{relative}::"
