"""How one lane's model lies inside its program's wider model: every variable's places, every adaptation's arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras.src.models.functional import Functional

from dialed.engine.fused.padding.adapted import regularized
from dialed.engine.fused.padding.axes import Axis, Tensor, Unpaddable, aligned, is_whole, same
from dialed.engine.fused.padding.rule import Adaptation, Call, Padded
from dialed.engine.fused.padding.table import has_rule, rule_for

__all__ = ["Fit", "fit", "padded_call"]

_REGULARIZERS = (keras.regularizers.L1, keras.regularizers.L2, keras.regularizers.L1L2)
_CONSTRAINTS = (
    keras.constraints.MaxNorm,
    keras.constraints.MinMaxNorm,
    keras.constraints.NonNeg,
    keras.constraints.UnitNorm,
)
_OPTIMIZERS = (
    keras.optimizers.SGD,
    keras.optimizers.Adam,
    keras.optimizers.AdamW,
    keras.optimizers.Adamax,
    keras.optimizers.Nadam,
    keras.optimizers.RMSprop,
    keras.optimizers.Adagrad,
    keras.optimizers.Adadelta,
    keras.optimizers.Lion,
    keras.optimizers.Lamb,
)
"""What leaves zeros where weight and gradient are zero. Adafactor and Muon average over a whole matrix; Ftrl divides by
its accumulator."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """A lane's places in its program.

    Args:
        trainable: Of the model's trainable variables, in Keras's order.
        other: Of its non-trainable variables.
        adaptations: By the identity of what holds the code, and the attribute.
    """

    trainable: tuple[Tensor, ...]
    other: tuple[Tensor, ...]
    adaptations: Mapping[tuple[int, str], Adaptation]


def fit(own: keras.Model, wide: keras.Model) -> Fit:
    """Fit `own` into `wide`, a model of the same structure that is at least as wide everywhere.

    Raises:
        Unpaddable: That cannot be done; the message says why.
    """
    walk = _Walk()
    outputs = walk.model(own, wide, None)
    if not all(is_whole(tensor) for tensor in outputs):
        raise Unpaddable("the model's outputs differ in width")
    trainable = walk.places(own.trainable_variables, wide.trainable_variables)
    if not all(is_whole(tensor) for tensor in trainable):
        _check_optimizer(wide.optimizer)
        _check_optimizer(own.optimizer)
    other = walk.places(own.non_trainable_variables, wide.non_trainable_variables)
    return Fit(trainable=trainable, other=other, adaptations=walk.adaptations)


class _Walk:
    """Goes along the connections of both models, call by call."""

    def __init__(self) -> None:
        self.adaptations: dict[tuple[int, str], Adaptation] = {}
        self._variables: dict[int, Tensor] = {}
        self._called: dict[int, tuple[Any, tuple[Tensor, ...]]] = {}

    def model(self, own: Any, wide: Any, inputs: tuple[Tensor, ...] | None) -> tuple[Tensor, ...]:
        """A whole model, called with `inputs`; by default with what data give, of which nothing is padding."""
        own, wide = _graph(own), _graph(wide)
        if inputs is None:
            inputs = tuple(aligned(a.shape, b.shape) for a, b in zip(own.inputs, wide.inputs, strict=True))
        known = dict(zip(map(id, own.inputs), inputs, strict=True))
        for mine, theirs in zip(_calls(own), _calls(wide), strict=True):
            given = tuple(known[id(tensor)] for tensor in mine.input_tensors)
            known.update(zip(map(id, mine.outputs), self.call(mine, theirs, given), strict=True))
        return tuple(known[id(tensor)] for tensor in own.outputs)

    def call(self, own: Any, wide: Any, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """One node of both graphs."""
        mine, theirs = own.operation, wide.operation
        if isinstance(mine, (keras.Sequential, Functional)):
            return self.model(mine, theirs, inputs)
        shapes = [tuple(tuple(t.shape) for t in node.outputs) for node in (own, wide)]
        call = Call(
            own=mine,
            wide=theirs,
            inputs=inputs,
            own_outputs=shapes[0],
            wide_outputs=shapes[1],
            keywords=frozenset(name for name, value in own.arguments.kwargs.items() if value is not None),
        )
        found = padded_call(call)
        for tensor, shape, narrow in zip(found.outputs, shapes[1], shapes[0], strict=True):
            _check_shape(tensor, narrow, shape, mine)
        self._take(call, found)
        return tuple(found.outputs)

    def _take(self, call: Call, found: Padded) -> None:
        before = self._called.setdefault(id(call.wide), (call.wide, call.inputs))
        if not all(same(a, b) for a, b in zip(before[1], call.inputs, strict=True)):
            raise Unpaddable(f"{call.own.name} is shared by tensors whose widths differ in different ways")
        for variable, tensor in found.variables:
            self._variables[id(variable)] = tensor
            if getattr(variable, "regularizer", None) is not None:
                self._adapt(regularized(variable, "_regularizer", tensor))
            if not is_whole(tensor):
                _check_variable(variable)
        if getattr(call.wide, "activity_regularizer", None) is not None:
            for tensor in found.outputs:
                _check_regularizer(call.wide.activity_regularizer, tensor)
                self._adapt(regularized(call.wide, "activity_regularizer", tensor))
        for adaptation in found.adaptations:
            self._adapt(adaptation)

    def _adapt(self, adaptation: Adaptation) -> None:
        self.adaptations[id(adaptation.holder), adaptation.attribute] = adaptation

    def places(self, own: Sequence[Any], wide: Sequence[Any]) -> tuple[Tensor, ...]:
        """The places of a list of variables."""
        found = []
        for mine, theirs in zip(own, wide, strict=True):
            tensor = self._variables.get(id(theirs))
            if tensor is None:
                tensor = tuple(Axis(length) for length in theirs.shape)
            if tuple(axis.own for axis in tensor) != tuple(mine.shape) or len(tensor) != len(theirs.shape):
                raise Unpaddable(f"the variable {mine.path} has no places: it is {tuple(mine.shape)} in {theirs.shape}")
            found.append(tensor)
        return tuple(found)


def padded_call(call: Call) -> Padded:
    """What the table says of a call. What no width reaches needs no rule.

    Raises:
        Unpaddable: A width reaches a layer without a rule.
    """
    untouched = all(map(is_whole, call.inputs)) and call.own_outputs == call.wide_outputs
    if untouched and _shapes(call.own) == _shapes(call.wide) and not has_rule(type(call.own)):
        return Padded(outputs=call.leading_outputs())
    return rule_for(call.own)(call)


def _shapes(layer: Any) -> list[tuple[int, ...]]:
    return [tuple(v.shape) for v in getattr(layer, "variables", ())]


def _graph(model: Any) -> Any:
    """The connections of a model.

    Raises:
        Unpaddable: It has none: its `call` is Python code of its own.
    """
    graph = model._functional if isinstance(model, keras.Sequential) else model
    if not isinstance(graph, Functional) or type(graph).call is not Functional.call:
        raise Unpaddable(f"{type(model).__name__} has a `call` of its own")
    return graph


def _calls(graph: Any) -> Iterator[Any]:
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        yield from (node for node in graph._nodes_by_depth[depth] if node.operation and not node.is_input)


def _check_shape(tensor: Tensor, own: Sequence[Any], wide: Sequence[Any], layer: Any) -> None:
    found = tuple(axis.own for axis in tensor), tuple(axis.wide for axis in tensor)
    if not (_agree(found[0], own) and _agree(found[1], wide)):
        raise Unpaddable(f"the padding rule of {type(layer).__name__} expects {found}, its shapes are {own} and {wide}")


def _agree(found: Iterable[int | None], shape: Sequence[int | None]) -> bool:
    lengths = list(found)
    return len(lengths) == len(shape) and all(a == b or None in (a, b) for a, b in zip(lengths, shape, strict=True))


def _check_variable(variable: Any) -> None:
    """What else acts on a padded variable must keep its zeros."""
    _check_regularizer(getattr(variable, "regularizer", None), None)
    constraint = getattr(variable, "constraint", None)
    if constraint is not None and type(constraint) not in _CONSTRAINTS:
        raise Unpaddable(f"{type(constraint).__name__} may not leave zeros alone")


def _check_regularizer(regularizer: Any, tensor: Tensor | None) -> None:
    if regularizer is None or (tensor is not None and is_whole(tensor)):
        return
    if type(regularizer) not in _REGULARIZERS:
        raise Unpaddable(f"{type(regularizer).__name__} may not leave zeros alone")


def _check_optimizer(optimizer: Any) -> None:
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    if type(optimizer) not in _OPTIMIZERS:
        raise Unpaddable(f"{type(optimizer).__name__} may not leave zeros alone")
    if getattr(optimizer, "epsilon", 1.0) <= 0:
        raise Unpaddable("the optimizer's epsilon is 0, which makes 0/0 of a weight that does not exist")
