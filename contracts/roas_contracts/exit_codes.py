"""Exit codes of every command line in this repository."""

from typing import Final

OK: Final = 0
"""Everything is fine."""

NO: Final = 1
"""The command worked and its answer is no, such as a ledger that does not add up."""

USAGE: Final = 2
"""Usage, input or configuration is wrong: the same call will fail again."""

UNAVAILABLE: Final = 3
"""Something this depends on (Kafka, the registry, a database) is not reachable: try later."""

INTERNAL: Final = 70
"""A defect of ours (EX_SOFTWARE): the log has the traceback under the id that was printed."""

INTERRUPTED: Final = 130
"""Ended by Ctrl-C."""
