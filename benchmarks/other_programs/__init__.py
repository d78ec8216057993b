"""The tables of `benchmarks/differences.py`: one module for each kind of input."""
