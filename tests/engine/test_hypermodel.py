"""What may be handed over to be tuned."""

from __future__ import annotations

from typing import Any

import pytest

import dialed
from dialed.engine.hypermodel import build_of, overrides_fit
from dialed.errors import InvalidInputError


class Plain(dialed.HyperModel):
    def build(self, hp: Any) -> Any:
        return "model"


class Own(Plain):
    def fit(self, hp: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        return 0.5


class Stranger:
    """No subclass, but it builds: KerasTuner's hypermodels look like this."""

    def build(self, hp: Any) -> Any:
        return "stranger"


def test_functions_and_objects_build() -> None:
    assert build_of(lambda hp: "function")(dialed.HyperParameters()) == "function"
    assert build_of(Plain())(dialed.HyperParameters()) == "model"
    assert build_of(Stranger())(dialed.HyperParameters()) == "stranger"


def test_only_a_fit_of_its_own_counts() -> None:
    assert overrides_fit(Own())
    assert not any(overrides_fit(h) for h in (Plain(), Stranger(), lambda hp: None))


def test_a_class_is_not_an_object() -> None:
    with pytest.raises(InvalidInputError, match=r"Got the class Plain. Pass `Plain\(...\)`"):
        build_of(Plain)


def test_build_must_be_written() -> None:
    with pytest.raises(NotImplementedError, match=r"`HyperModel.build\(hp\)` must return a compiled model"):
        dialed.HyperModel().build(dialed.HyperParameters())


def test_fit_is_one_call_of_the_model() -> None:
    class Model:
        def fit(self, *args: Any, **kwargs: Any) -> Any:
            return args, kwargs

    model: Any = Model()
    assert Plain().fit(dialed.HyperParameters(), model, 1, 2, epochs=3) == ((1, 2), {"epochs": 3})
