"""The table of rules: for each class of layers how a narrow one becomes part of a wider one.

The invariant that all rules keep: at places that are not the lane's own, every tensor is zero, and so is every
variable; and no place that is not its own has a gradient. A rule says where the layer's variables and outputs have their places, given those of its
inputs. Where zeros would not stay zeros, or a statistic would count them, it names an adaptation of the layer's code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from dialed.engine.fused.padding.axes import Tensor, Unpaddable, aligned

__all__ = ["Adaptation", "Call", "Padded", "Rule", "Shape", "has_rule", "padding_rule", "rule_for", "sizes", "sizes_of"]

Shape: TypeAlias = tuple[int | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a layer, in the lane's own model and in the program's wider one.

    Args:
        own: The layer in the lane's own model.
        wide: The layer in the program's model.
        inputs: The tensors it is called with.
        own_outputs: Shapes of what comes out, in the own model.
        wide_outputs: The same in the program's.
        keywords: The names of the other arguments that the call was given.
    """

    own: Any
    wide: Any
    inputs: tuple[Tensor, ...]
    own_outputs: tuple[Shape, ...]
    wide_outputs: tuple[Shape, ...]
    keywords: frozenset[str] = frozenset()

    @property
    def input(self) -> Tensor:
        """The first input."""
        return self.inputs[0]

    def leading_outputs(self) -> tuple[Tensor, ...]:
        """Outputs whose own elements come first on every axis."""
        pairs = zip(self.own_outputs, self.wide_outputs, strict=True)
        return tuple(aligned(own, wide) for own, wide in pairs)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Adaptation:
    """A part of the wide layer's code that must know a lane's own sizes.

    Args:
        holder: The object whose attribute is replaced while a step is traced.
        attribute: The attribute, such as "call".
        make: Returns the replacement, given what stood there, the lane's arrays as tracers, and the choices of all
            lanes of the program.
        given: The lane's arrays by name; their shapes are those of the program.
        needed: Whether this lane could not do without. The program has it if any lane needs it.
        choice: Which of several ways this lane takes, where that is a matter of the program's code.
    """

    holder: Any
    attribute: str
    make: Callable[[Any, Mapping[str, Any], tuple[int, ...]], Any]
    given: Mapping[str, np.ndarray]
    needed: bool
    choice: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Padded:
    """What a rule says of one call.

    Args:
        outputs: Where the own elements of each output stand.
        variables: The wide layer's variables with the places of their own elements. One that is not named must have
            the same shape in both models.
        adaptations: What must be replaced in the wide layer while it is traced.
    """

    outputs: tuple[Tensor, ...]
    variables: Sequence[tuple[Any, Tensor]] = ()
    adaptations: Sequence[Adaptation] = ()


Rule: TypeAlias = Callable[[Call], Padded]


@dataclass(slots=True)
class _Table:
    rules: dict[type, Rule] = field(default_factory=dict)
    sizes: dict[type, frozenset[str]] = field(default_factory=dict)


_TABLE = _Table()


def padding_rule(*kinds: type, sizes: Sequence[str] = ()) -> Callable[[Rule], Rule]:
    """Register the rule for layers of exactly these classes, as a decorator.

    To choose: for a layer of your own, so that trials with different widths of it share a program. Without a rule a
    layer still works, and each width of it has a program of its own.

    Args:
        kinds: Classes of layers. Subclasses need rules of their own.
        sizes: Attributes that hold sizes: numbers or tuples that may differ between lanes and that the program takes
            from its widest model. Defaults to none.

    Returns:
        A decorator for a function that takes a `Call` and returns a `Padded`, or raises `Unpaddable`.

    Example:
        >>> import keras
        >>> from dialed.padding import Padded, padding_rule
        >>> class Scale(keras.layers.Layer):
        ...     def build(self, shape):
        ...         self.factor = self.add_weight(shape=shape[-1:], initializer="ones")
        ...     def call(self, inputs):
        ...         return inputs * self.factor
        >>> @padding_rule(Scale)
        ... def scale(call):
        ...     return Padded(outputs=call.inputs, variables=[(call.wide.factor, call.input[-1:])])
    """

    def register(rule: Rule) -> Rule:
        for kind in kinds:
            _TABLE.rules[kind] = rule
            _TABLE.sizes[kind] = frozenset({*sizes, "_input_spec"})
        return rule

    return register


def sizes(kind: type, *names: str) -> None:
    """Say which attributes of a part of a layer hold sizes. The layer's own rule answers for it."""
    _TABLE.sizes[kind] = frozenset({*names, "_input_spec"})


def has_rule(kind: type) -> bool:
    """Whether layers of this class may be padded."""
    return kind in _TABLE.rules


def sizes_of(kind: type) -> frozenset[str]:
    """The attributes of a class that hold sizes."""
    return _TABLE.sizes.get(kind, frozenset())


def rule_for(layer: Any) -> Rule:
    """The rule for `layer`.

    Raises:
        Unpaddable: There is none.
    """
    rule = _TABLE.rules.get(type(layer))
    if rule is None:
        raise Unpaddable(f"{type(layer).__name__} has no padding rule")
    return rule
