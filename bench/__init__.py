"""Benchmarks: ``python -m bench`` (or ``make bench``). Figures and what they mean: ``docs/benchmarks.md``."""
