"""Which optimizer: each with its own learning rate, under the same seeds, beside the one that the model has."""

from dialed.tools.optimizers.comparing import OptimizerComparison, compare_optimizers

__all__ = ["OptimizerComparison", "compare_optimizers"]
