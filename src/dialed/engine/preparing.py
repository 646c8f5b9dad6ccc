"""What is learnt from data before training, a scaling or a projection, learnt on the training part of a fold alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from dialed.engine.arrays import Structure
from dialed.engine.samples import Samples
from dialed.errors import InvalidInputError
from dialed.space import HyperParameters

if TYPE_CHECKING:
    from dialed.engine.data import FoldData

__all__ = ["Preparation", "Prepare"]

Prepare: TypeAlias = Callable[[Any, Structure, Structure], tuple[Structure, Structure]]
"""Takes `hp`, the inputs to train on, and the inputs to judge by or `None`; returns both, prepared."""

_RECORDED = ("Boolean", "Choice", "Fixed", "Float", "Int", "ask", "get")

_KEPT_BYTES = 1 << 30
"""Prepared folds above this size are not kept, but the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """One prepared fold, and the questions and answers that it came from; `None` where they cannot be asked again."""

    fold: int
    calls: tuple[tuple[str, tuple[Any, ...], dict[str, Any], Any], ...] | None
    data: FoldData

    def answers(self, hp: HyperParameters) -> bool:
        """Whether `hp` gives the same answers, so that the data would be the same. Asks as far as they are."""
        return self.calls is not None and all(
            getattr(hp, name)(*args, **kwargs) == answer for name, args, kwargs, answer in self.calls
        )


@dataclass(slots=True, kw_only=True, eq=False)
class Preparation:
    """Prepares folds by a function of the user's, and keeps what it made.

    The function is called once for each fold and each set of answers that it gets from `hp`, under a seed of its own, so
    what it makes does not depend on which trial came first.

    Args:
        function: `prepare(hp, x_train, x_valid)`.
        check_finite: Whether it may leave no NaN and infinity. Defaults to True.

    Attributes:
        asks: Whether the function has asked `hp` for anything so far: then trials train on different data.
    """

    function: Prepare
    check_finite: bool = True
    asks: bool = False
    _made: list[_Made] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise InvalidInputError(
                "`prepare` must be a function `prepare(hp, x_train, x_valid)` that returns both parts, prepared. Got "
                f"{self.function!r:.80} ({type(self.function).__name__})."
            )

    def __getstate__(self) -> dict[str, Any]:
        return {"function": self.function, "check_finite": self.check_finite, "asks": self.asks, "_made": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)

    @property
    def met(self) -> bool:
        """Whether the function has been called yet."""
        return bool(self._made)

    def fold(self, index: int, raw: Callable[[int], FoldData], hp: HyperParameters) -> FoldData:
        """Fold `index` of `raw`, prepared with the values of `hp`."""
        known = next((made for made in self._made if made.fold == index and made.answers(hp)), None)
        if known is None:
            asked = _Asked(hp)
            data = self._prepared(raw(index), asked)
            self.asks = self.asks or bool(asked.calls) or not asked.is_plain
            known = _Made(fold=index, calls=tuple(asked.calls) if asked.is_plain else None, data=data)
        self._keep(known)
        return known.data

    def apply(self, hp: HyperParameters, x: Structure, x_valid: Structure = None) -> tuple[Structure, Structure]:
        """What the function makes of `x` and `x_valid`.

        Raises:
            InvalidInputError: It does not return two parts.
        """
        from dialed.engine.seeding import seeded

        with seeded(0):
            made = self.function(hp, x, x_valid)
        if not isinstance(made, (tuple, list)) or len(made) != 2 or (made[1] is None) != (x_valid is None):
            raise InvalidInputError(
                "`prepare(hp, x_train, x_valid)` must return both parts, prepared, and None for a part that it got as "
                f"None. Got {_described(made)}. End it with `return x_train, x_valid`."
            )
        return made[0], made[1]

    def _prepared(self, raw: FoldData, asked: _Asked) -> FoldData:
        judged = raw.validation
        x, x_valid = self.apply(asked, raw.x, None if judged is None else judged[0])  # type: ignore[arg-type]
        training = Samples.of(x, raw.y, raw.sample_weight, name="prepare: ", check_finite=self.check_finite)
        if judged is None:
            return replace(raw, x=training.x)
        y, weight = (*judged[1:], None)[:2]
        held_out = Samples.of(x_valid, y, weight, name="prepare, held out: ", check_finite=self.check_finite)
        return replace(raw, x=training.x, validation=held_out.as_tuple())

    def _keep(self, made: _Made) -> None:
        self._made = [made, *(other for other in self._made if other is not made)]
        while len(self._made) > 1 and sum(_bytes(other.data) for other in self._made) > _KEPT_BYTES:
            self._made.pop()


class _Asked:
    """Stands for `hp` and notes what it is asked."""

    def __init__(self, hp: HyperParameters) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any], Any]] = []
        self.is_plain = True
        self._hp = hp

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._hp, name)
        if name not in _RECORDED:  # a scope, or the values as a whole: what it depends on is not known
            self.is_plain = False
            return found

        def ask(*args: Any, **kwargs: Any) -> Any:
            answer = found(*args, **kwargs)
            self.calls.append((name, args, kwargs, answer))
            return answer

        return ask


def _bytes(data: FoldData) -> int:
    judged = data.validation
    parts = [Samples(x=data.x), *([] if judged is None else [Samples(x=judged[0])])]
    return sum(part.bytes for part in parts)


def _described(made: Any) -> str:
    if isinstance(made, (tuple, list)):
        return f"a {type(made).__name__} of {len(made)}: {', '.join(type(part).__name__ for part in made)}"
    return type(made).__name__
