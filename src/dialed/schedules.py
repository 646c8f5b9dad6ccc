"""Learning rates that follow the training: `keras.optimizers.Adam(dialed.schedules.Cosine(1e-3))`."""

from dialed.tools.schedules import (
    KINDS,
    Constant,
    Cosine,
    CosineRestarts,
    Cyclical,
    Exponential,
    OneCycle,
    Polynomial,
    Schedule,
    StepDecay,
    TimeDecay,
    Warmup,
    WarmupStableDecay,
    choose,
)

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
