"""Synthetic telegrams for benchmarks; `benchmarks/telegrams.py` writes them."""
