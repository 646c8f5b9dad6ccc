"""Models of one structure are divided by what the code does with their numbers, and nothing is declared."""

import itertools
import math

import keras
import numpy as np
import pytest
from keras import layers

from dialed.engine.fused.anatomy import Incomparable, dissect
from dialed.engine.fused.division import Candidate, Contender, Untraceable
from dialed.engine.fused.division import divide as divided
from dialed.engine.fused.tracing import shapes_of
from dialed.engine.seeding import seeded

ROWS, TARGETS = np.zeros((8, 3), "float32"), np.zeros((8, 2), "float32")
BATCH = shapes_of((ROWS, TARGETS, None), 8)


def candidate(*inner, loss="mse", optimizer="sgd"):
    with seeded(0):
        model = keras.Sequential([keras.Input((3,)), *[make() for make in inner], layers.Dense(2)])
        model.compile(optimizer() if callable(optimizer) else optimizer, loss() if callable(loss) else loss)
        model.optimizer.build(model.trainable_variables)
    return Candidate(model=model, anatomy=dissect(model), prepare=lambda: model._symbolic_build(data_batch=BATCH))


def divide(candidates, batch, **options):
    return divided([Contender(candidate) for candidate in candidates], batch, **options)


def parts(candidates):
    """Who shares a program, and by which numbers the lanes differ there."""
    divisions = divide(candidates, BATCH)
    return [(division.members, tuple(path.split(".")[-1] for path in division.sites.paths)) for division in divisions]


class Layer(layers.Layer):
    """A user's layer with one number."""

    def __init__(self, number):
        super().__init__()
        self.number = number


class Scaled(Layer):
    def call(self, inputs):
        return inputs * self.number


class Branching(Layer):
    def call(self, inputs):
        return inputs * self.number if self.number > 0.5 else inputs - self.number


class Rooted(Layer):
    def call(self, inputs):
        return inputs * math.sqrt(self.number)


class Indirect(Layer):
    """Takes the root of a tracer: nobody can say which number it was."""

    def call(self, inputs):
        return inputs * math.sqrt(self.number * 1.0)


class Unread(Layer):
    def call(self, inputs):
        return inputs


class Baked(Layer):
    def build(self, shape):
        self.table = [self.number] * shape[-1]
        super().build(shape)

    def call(self, inputs):
        return inputs * keras.ops.convert_to_tensor(list(self.table))


COUNTER = itertools.count()


class Counting(layers.Layer):
    """Is another one each time it is called."""

    def call(self, inputs):
        return inputs * next(COUNTER)


class Closing(Layer):
    def __init__(self, number):
        super().__init__(number)
        self.function = lambda inputs: inputs * number

    def call(self, inputs):
        return self.function(inputs)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Scaled, [((0, 1, 2), ("number",))]),
        (Branching, [((0, 2), ("number",)), ((1,), ())]),
        (Rooted, [((0,), ()), ((1,), ()), ((2,), ())]),
        (Indirect, [((0,), ()), ((1,), ()), ((2,), ())]),
        (Unread, [((0, 1, 2), ())]),
    ],
)
def test_numbers_are_inputs_where_the_code_allows(kind, expected):
    assert parts([candidate(lambda n=n: kind(n)) for n in (0.6, 0.3, 0.9)]) == expected


@pytest.mark.parametrize("kind", [Baked, Closing])
def test_numbers_that_are_worked_into_something_else_make_structures_apart(kind):
    one, other, same = (candidate(lambda n=n: kind(n)).anatomy.digest for n in (0.6, 0.3, 0.6))
    assert one == same != other


def test_the_numbers_of_the_template_are_its_own_again():
    made = [candidate(lambda n=n: Scaled(n)) for n in (0.6, 0.3)]
    parts(made)
    assert [c.model.layers[0].number for c in made] == [0.6, 0.3]


def test_a_loss_that_keeps_a_dead_copy_of_its_number_is_no_obstacle():
    made = [candidate(loss=lambda s=s: keras.losses.CategoricalCrossentropy(label_smoothing=s)) for s in (0.1, 0.2)]
    (division,) = divide(made, BATCH)
    assert [path.split("_fn_kwargs")[-1] for path in division.sites.paths] == ["['label_smoothing']"]
    assert [path.split(".")[-1] for path in division.idle] == ["label_smoothing"]


@pytest.mark.parametrize(
    ("values", "programs"), [((0.1, 0.2), 1), ((0.0, 0.1), 2), ((None, 0.1), 2), ((0.0, 0.0, 0.1, 0.2), 2)]
)
def test_clipping_is_apart_from_no_clipping(values, programs):
    made = [candidate(optimizer=lambda c=c: keras.optimizers.SGD(0.1, clipnorm=c)) for c in values]
    structures = {}
    for c in made:
        structures.setdefault(c.anatomy.digest, []).append(c)
    assert sum(len(divide(group, BATCH)) for group in structures.values()) == programs


def test_numbers_that_no_program_may_share_are_guarded():
    (division,) = divide(
        [candidate(optimizer=lambda c=c: keras.optimizers.SGD(0.1, clipnorm=c)) for c in (0.1, 0.2)], BATCH
    )
    (path,) = division.sites.paths
    assert division.sites.admits({path: 7.0})
    assert not division.sites.admits({path: 0.0})


def test_connections_are_part_of_the_structure():
    def model(swap):
        with seeded(0):
            inputs = keras.Input((3,))
            one, two = layers.Dense(2, name="one")(inputs), layers.Dense(2, name="two")(inputs)
            outputs = layers.Subtract()([two, one] if swap else [one, two])
            made = keras.Model(inputs, outputs)
            made.compile("sgd", "mse")
            made.optimizer.build(made.trainable_variables)
        return dissect(made).digest

    assert model(False) == model(False) != model(True)


def test_what_changes_with_each_tracing_is_not_trusted():
    with pytest.raises(Untraceable, match="two builds that look the same are traced to different programs"):
        divide([candidate(Counting), candidate(Counting)], BATCH)


def test_what_cannot_be_compared_is_said():
    class Holding(layers.Layer):
        def __init__(self):
            super().__init__()
            self.held = iter([1])

        def call(self, inputs):
            return inputs

    with pytest.raises(Incomparable, match=r"held holds a list_iterator, which cannot be compared"):
        candidate(Holding)
