"""Benchmarks: every figure is a ratio of two things measured side by side in one run."""

__version__ = "0.1.0"
