"""What `benchmarks/fused.py` measures: the rows of its table, both sides of each, and how they are told."""
