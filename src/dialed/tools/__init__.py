"""Tools for the learning rate and the batch size, on their own or inside a search."""

from dialed.engine.scaling import scale_learning_rate

__all__ = ["scale_learning_rate"]
