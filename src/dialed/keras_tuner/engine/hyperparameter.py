"""What varies, one at a time: the base class, and those without a scale (choices, true or false, constants)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np

from dialed.keras_tuner.engine import conditions as conditions_module
from dialed.space import domains
from dialed.space.domains import Domain

__all__ = ["Boolean", "Choice", "Fixed", "HyperParameter"]


class HyperParameter:
    """A name, the values it may have, and the conditions under which it means anything.

    Two hyperparameters are the same when name and conditions are.

    Args:
        name: The name.
        default: The value of the first trial. Defaults to None.
        conditions: `Condition` objects that must all hold. Defaults to none.
    """

    def __init__(self, name: str, default: Any = None, conditions: Any = None) -> None:
        self.name = name
        self._default = default
        listed = list(conditions) if isinstance(conditions, (list, tuple)) else [conditions] if conditions else []
        self.conditions: list[conditions_module.Condition] = listed

    @property
    def default(self) -> Any:
        """The value of the first trial."""
        return self._default

    @property
    def domain(self) -> Domain:
        """The same values as Dialed's strategies and engines see them."""
        raise NotImplementedError(f"`{type(self).__name__}.domain` must be written by the subclass.")

    @property
    def values(self) -> Iterable[Any]:
        """All values; of a range without steps ten that are spread over it."""
        raise NotImplementedError(f"`{type(self).__name__}.values` must be written by the subclass.")

    def random_sample(self, seed: Any = None) -> Any:
        """A value at random; the same one for the same `seed` (an int, a list of ints or a NumPy generator)."""
        return self.prob_to_value(float(np.random.default_rng(seed).random()))

    def prob_to_value(self, prob: float) -> Any:
        """The value in whose share of [0, 1) `prob` lies."""
        return self.domain.from_unit(prob)

    def value_to_prob(self, value: Any) -> float:
        """The middle of the value's share of [0, 1)."""
        return self.domain.to_unit(value)

    def get_config(self) -> dict[str, Any]:
        """The arguments to make it again, as JSON types."""
        conditions = [conditions_module.serialize(condition) for condition in self.conditions]
        return {"name": self.name, "default": self.default, "conditions": conditions}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The hyperparameter whose `get_config` this is."""
        conditions = [conditions_module.deserialize(condition) for condition in config.get("conditions", ())]
        return cls(**{**config, "conditions": conditions})


class Choice(HyperParameter):
    """One of a list of values.

    Args:
        name: The name.
        values: Strings, ints, floats or bools, all of one type. Bools stay bools.
        ordered: Whether their order means something. Defaults to True for numbers, which alone may be ordered.
        default: Defaults to the first.

    Raises:
        TypeError: The values are of several types, or of another one.
        ValueError: There are none, `default` is none of them, or `ordered` makes no sense.
    """

    def __init__(self, name: str, values: Any, ordered: bool | None = None, default: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name, default=default, **kwargs)
        if values is None or len(values) == 0:
            raise ValueError(f"`values` must be provided for `Choice`, at least one. Got {values!r} for '{name}'.")
        listed = [_python(value) for value in values]
        _check_types(name, listed)
        default = None if default is None else _cast(type(listed[0]), _python(default))
        if default is not None and default not in listed:
            raise ValueError(f"The default value should be one of the choices. Got {default!r}, values={listed}.")
        numeric = isinstance(listed[0], (int, float))
        if ordered and not numeric:
            raise ValueError(f"`ordered` must be `False` for values that are no numbers. Got {listed} for '{name}'.")
        self._values = listed
        self._default = default
        self.ordered = numeric and not isinstance(listed[0], bool) if ordered is None else ordered

    @property
    def values(self) -> list[Any]:
        """The choices, as listed."""
        return self._values

    @property
    def default(self) -> Any:
        """The value of the first trial."""
        return self._values[0] if self._default is None else self._default

    @property
    def domain(self) -> Domain:
        """The same values as Dialed's strategies and engines see them."""
        distinct = list(dict.fromkeys(self._values))
        ordered = self.ordered and not isinstance(distinct[0], bool)
        return domains.Choice(distinct, ordered=ordered, default=self.default)

    def get_config(self) -> dict[str, Any]:
        """The arguments to make it again, as JSON types."""
        return super().get_config() | {"values": self._values, "ordered": self.ordered}

    def __repr__(self) -> str:
        return f"Choice(name: '{self.name}', values: {self._values}, ordered: {self.ordered}, default: {self.default})"


class Boolean(HyperParameter):
    """True or False.

    Args:
        name: The name.
        default: Defaults to False.

    Raises:
        ValueError: `default` is neither.
    """

    def __init__(self, name: str, default: bool = False, **kwargs: Any) -> None:
        super().__init__(name=name, default=default, **kwargs)
        if not isinstance(default, (bool, np.bool_)) and default not in (0, 1):
            raise ValueError(f"`default` must be a Python boolean. Got {default!r} for '{name}'.")
        self._default = bool(default)

    @property
    def values(self) -> tuple[bool, bool]:
        """True and False."""
        return (True, False)

    @property
    def domain(self) -> Domain:
        """The same values as Dialed's strategies and engines see them."""
        return domains.Boolean(default=self._default)

    def __repr__(self) -> str:
        return f'Boolean(name: "{self.name}", default: {self.default})'


class Fixed(HyperParameter):
    """A constant, recorded with each trial and never varied.

    Args:
        name: The name.
        value: A string, an int, a float or a bool.

    Raises:
        ValueError: It is something else.
    """

    def __init__(self, name: str, value: Any, **kwargs: Any) -> None:
        value = _python(value)
        if not isinstance(value, (bool, int, float, str)):
            raise ValueError(  # noqa: TRY004 - KerasTuner's kind of error
                f"`Fixed` value must be an `int`, `float`, `str` or `bool`. Got {value!r} for '{name}'."
            )
        super().__init__(name=name, default=value, **kwargs)
        self.value = value

    @property
    def values(self) -> tuple[Any]:
        """The one value."""
        return (self.value,)

    @property
    def domain(self) -> Domain:
        """The same value as Dialed's strategies and engines see it."""
        return domains.Fixed(self.value)

    def prob_to_value(self, prob: float) -> Any:
        """The value."""
        return self.value

    def value_to_prob(self, value: Any) -> float:
        """The middle."""
        return 0.5

    def get_config(self) -> dict[str, Any]:
        """The arguments to make it again, as JSON types."""
        config = super().get_config()
        del config["default"]
        return config | {"value": self.value}

    def __repr__(self) -> str:
        return f"Fixed(name: {self.name}, value: {self.value})"


def _python(value: Any) -> Any:
    """NumPy's scalars as Python's."""
    return value.item() if isinstance(value, np.generic) else value


def _cast(kind: type, value: Any) -> Any:
    return value if kind is bool else kind(value)


def _check_types(name: str, values: list[Any]) -> None:
    kinds = {type(value) for value in values}
    if len(kinds) > 1:
        raise TypeError(f"`values` of a `Choice` can contain only one type of value. Got {values} for '{name}'.")
    if not isinstance(values[0], (bool, int, float, str)):
        raise TypeError(
            f"`values` of a `Choice` can contain only `int`, `float`, `str` or `bool`. Got {values} for '{name}'. "
            "Choose among names, and look the object up by its name."
        )
