"""Learning rates that follow the training: schedules for Keras's optimizers, and their choice as a hyperparameter."""

from dialed.tools.schedules._base import Schedule
from dialed.tools.schedules.choosing import KINDS, choose
from dialed.tools.schedules.cycles import CosineRestarts, Cyclical, OneCycle, Warmup, WarmupStableDecay
from dialed.tools.schedules.decays import Constant, Cosine, Exponential, Polynomial, StepDecay, TimeDecay

__all__ = [
    "KINDS",
    "Constant",
    "Cosine",
    "CosineRestarts",
    "Cyclical",
    "Exponential",
    "OneCycle",
    "Polynomial",
    "Schedule",
    "StepDecay",
    "TimeDecay",
    "Warmup",
    "WarmupStableDecay",
    "choose",
]
