"""The table of rules, filled: whoever looks a rule up here finds those of Keras's own layers registered."""

from __future__ import annotations

from dialed.engine.fused.padding import (
    attention_rules,
    convolution_rules,
    core_rules,
    merging_rules,
    noise_rules,
    normalization_rules,
    recurrent_rules,
)
from dialed.engine.fused.padding.rule import has_rule, rule_for, sizes_of

__all__ = ["MODULES", "has_rule", "rule_for", "sizes_of"]

MODULES = (
    attention_rules,
    convolution_rules,
    core_rules,
    merging_rules,
    noise_rules,
    normalization_rules,
    recurrent_rules,
)
"""Importing these registers their rules."""
