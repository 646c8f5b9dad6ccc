"""Padding rules: how layers of your own share a compiled program with narrower ones of their kind.

See docs/padding-rules.md.
"""

from dialed.engine.fused.padding.axes import Axis, Tensor, Unpaddable, aligned, flattened, is_whole, joined, leading
from dialed.engine.fused.padding.rule import Adaptation, Call, Padded, padding_rule

__all__ = [
    "Adaptation",
    "Axis",
    "Call",
    "Padded",
    "Tensor",
    "Unpaddable",
    "aligned",
    "flattened",
    "is_whole",
    "joined",
    "leading",
    "padding_rule",
]
