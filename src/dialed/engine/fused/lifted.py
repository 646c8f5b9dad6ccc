"""A number that became an input of the program, and still answers Python's questions.

Keras asks its numbers questions while a step is traced: `if self.rate > 0`, `momentum != 0`, `if label_smoothing`. The
answer becomes part of the program, so it must be right for every lane. A `Lifted` knows the numbers of all lanes:
where they agree, it gives their answer and the guards write it down; where they do not, tracing stops with
`LanesDisagree`, and the lanes are parted by their answers. Arithmetic gives tracers.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import jax
import numpy as np

__all__ = ["CannotLift", "Guard", "Guards", "LanesDisagree", "Lifted", "Number"]

Number: TypeAlias = int | float

_QUESTIONS: dict[str, Callable[[Any, Any], bool]] = {
    "truth": lambda value, _: bool(value),
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    ">": operator.gt,
}


class CannotLift(TypeError):
    """The code wants a plain Python number at `path`: it cannot become an input of the program."""

    def __init__(self, path: str, wanted: str) -> None:
        super().__init__(f"{path} is used as {wanted}")
        self.path = path


class LanesDisagree(Exception):
    """Python's code takes another way for some lanes than for others: they need programs of their own."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(f"{guard.path} {guard.question} {guard.other} is true for some lanes only")
        self.guard = guard


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A question that the traced code asked of the number at `path`, and the answer it got."""

    path: str
    question: str
    other: Any
    answer: bool = True

    def ask(self, value: Number) -> bool:
        """The answer that `value` would give."""
        return bool(_QUESTIONS[self.question](value, self.other))

    def holds(self, value: Number) -> bool:
        """Whether a lane with this `value` may use the program."""
        return self.ask(value) == self.answer


@dataclass(slots=True, eq=False)  # told apart by identity: JAX keeps it as a key
class Guards:
    """The questions asked while one program was traced, and what stood in its way.

    Keras puts its own words around what a layer raises, and a user's code may catch it: so `trouble` is kept here too.
    """

    asked: set[Guard] = field(default_factory=set)
    trouble: LanesDisagree | CannotLift | None = None

    def refuse(self, trouble: LanesDisagree | CannotLift) -> LanesDisagree | CannotLift:
        """Keep the first `trouble`, and return it to be raised."""
        self.trouble = self.trouble or trouble
        return trouble

    def answer(self, path: str, question: str, other: Any, values: Sequence[Number]) -> bool:
        """The answer of all lanes.

        Raises:
            LanesDisagree: There is none.
        """
        guard = Guard(path=path, question=question, other=other)
        answers = {guard.ask(value) for value in values}
        if len(answers) > 1:
            raise self.refuse(LanesDisagree(guard))
        answer = answers.pop()
        self.asked.add(Guard(path=path, question=question, other=other, answer=answer))
        return answer


class Lifted:
    """Stands in for the number at `path` while a step is traced.

    Args:
        value: The tracer of one lane's number.
        complement: The tracer of `1 - number`, computed in float64 before it was rounded. Keras writes `1 - beta_2`
            with Python floats; `1 - value` in float32 would be off by 5e-5 for 0.999.
        path: Where the number lives, for people.
        values: The numbers of all lanes.
        guards: Where answered questions are written down.
    """

    __slots__ = ("complement", "guards", "path", "value", "values")
    __array_priority__ = 1000  # NumPy's operators leave the work to these
    __hash__ = object.__hash__

    def __init__(self, value: Any, complement: Any, *, path: str, values: Sequence[Number], guards: Guards) -> None:
        self.value = value
        self.complement = complement
        self.path = path
        self.values = values
        self.guards = guards

    def __repr__(self) -> str:
        return f"Lifted({self.path})"

    def __jax_array__(self) -> Any:
        return self.value

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise self._refuse("a NumPy array")

    def __float__(self) -> float:
        raise self._refuse("a Python float")

    def __int__(self) -> int:
        raise self._refuse("a Python int")

    def __index__(self) -> int:
        raise self._refuse("an index or a size")

    def __round__(self, *_: Any) -> int:
        raise self._refuse("a rounded Python number")

    __complex__ = __floor__ = __ceil__ = __trunc__ = __float__

    def _refuse(self, wanted: str) -> Exception:
        return self.guards.refuse(CannotLift(self.path, wanted))

    def __bool__(self) -> bool:
        return self.guards.answer(self.path, "truth", None, self.values)

    def _compare(self, question: str, other: Any, whole: Callable[[Any, Any], Any]) -> Any:
        if isinstance(other, np.generic):
            other = other.item()
        if isinstance(other, (bool, int, float)):
            return self.guards.answer(self.path, question, other, self.values)
        if isinstance(other, Lifted):
            return self._compare_lifted(question, other)
        if other is None or isinstance(other, str):
            return question == "!="
        return whole(self.value, other)

    def _compare_lifted(self, question: str, other: Lifted) -> bool:
        """Two numbers of one lane: answered where every pair of the two ranges gives the same."""
        answers = {bool(_QUESTIONS[question](a, b)) for a in self.values for b in other.values}
        if len(answers) > 1:
            raise self._refuse(f"a number that is compared with {other.path}")
        for bound in (min(other.values), max(other.values)):
            self.guards.answer(self.path, question, bound, self.values)
        for bound in (min(self.values), max(self.values)):
            other.guards.answer(other.path, _SWAPPED[question], bound, other.values)
        return answers.pop()

    def __lt__(self, other: Any) -> Any:
        return self._compare("<", other, operator.lt)

    def __le__(self, other: Any) -> Any:
        return self._compare("<=", other, operator.le)

    def __gt__(self, other: Any) -> Any:
        return self._compare(">", other, operator.gt)

    def __ge__(self, other: Any) -> Any:
        return self._compare(">=", other, operator.ge)

    def __eq__(self, other: object) -> Any:
        return self is other or self._compare("==", other, operator.eq)

    def __ne__(self, other: object) -> Any:
        return self is not other and self._compare("!=", other, operator.ne)

    def __rsub__(self, other: Any) -> Any:
        return self.complement if _is_one(other) else _plain(other) - self.value

    def __neg__(self) -> Any:
        return -self.value

    def __pos__(self) -> Any:
        return self.value

    def __abs__(self) -> Any:
        return abs(self.value)

    @property
    def shape(self) -> tuple[int, ...]:
        return ()

    @property
    def ndim(self) -> int:
        return 0

    @property
    def dtype(self) -> Any:
        return self.value.dtype

    def astype(self, dtype: Any) -> Any:
        """The tracer in another dtype."""
        return self.value.astype(dtype)


_SWAPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def _is_one(other: Any) -> bool:
    return isinstance(other, (int, float)) and other == 1


def _plain(other: Any) -> Any:
    return other.value if isinstance(other, Lifted) else other


def _forward(operation: Callable[[Any, Any], Any]) -> Callable[[Lifted, Any], Any]:
    def forward(self: Lifted, other: Any) -> Any:
        return operation(self.value, _plain(other))

    return forward


def _reflected(operation: Callable[[Any, Any], Any]) -> Callable[[Lifted, Any], Any]:
    def reflected(self: Lifted, other: Any) -> Any:
        return operation(_plain(other), self.value)

    return reflected


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    _operation = getattr(operator, _name)
    setattr(Lifted, f"__{_name}__", _forward(_operation))
    if _name != "sub":  # `1 - number` is a case of its own
        setattr(Lifted, f"__r{_name}__", _reflected(_operation))


def _flatten(lifted: Lifted) -> tuple[tuple[Any, Any], tuple[str, tuple[Number, ...], Guards]]:
    return (lifted.value, lifted.complement), (lifted.path, tuple(lifted.values), lifted.guards)


def _unflatten(about: tuple[str, tuple[Number, ...], Guards], children: Sequence[Any]) -> Lifted:
    path, values, guards = about
    return Lifted(children[0], children[1], path=path, values=values, guards=guards)


# jax.nn.leaky_relu and others are jitted themselves: what reaches them must be a pytree.
jax.tree_util.register_pytree_node(Lifted, _flatten, _unflatten)
