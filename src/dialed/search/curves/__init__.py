"""Learning curves: where they lead, and a model of configurations and epochs together. Imports NumPy and SciPy."""
