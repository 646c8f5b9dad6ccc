"""Batches come in Keras's own order."""

import keras
import numpy as np
import pytest

from dialed.engine.fused.order import BatchOrder, Split, draws_before_training
from dialed.engine.seeding import numpy_state, seeded

ROWS = np.arange(23, dtype="float32").reshape(-1, 1)


class Seen(keras.Sequential):
    """Writes down the rows of each batch."""

    def train_step(self, state, data):
        self.rows.append(np.asarray(data[0])[:, 0].astype(int).tolist())
        return super().train_step(state, data)


def rows_of_fit(shuffle, batch_size, epochs, seed):
    with seeded(seed):
        model = Seen([keras.Input((1,)), keras.layers.Dense(1)])
        model.rows = []
        model.compile("sgd", "mse", run_eagerly=True)
        state, looks = numpy_state(), draws_before_training(model)
        model.fit(ROWS, ROWS, epochs=epochs, batch_size=batch_size, shuffle=shuffle, verbose=0)
    return list(model.rows), state, looks


@pytest.mark.parametrize("shuffle", [True, False, "batch"])
def test_the_order_is_that_of_fit(shuffle):
    seen, state, looks = rows_of_fit(shuffle, 5, 2, seed=3)
    order = BatchOrder(Split(23, 5), shuffle=shuffle, state=state)
    assert looks
    order.drop_first()
    expected = []
    for _ in range(2):
        full, rest = order.split.cut(order.draw())
        expected += [*full.tolist(), rest.tolist()]
    assert seen == expected


@pytest.mark.parametrize(
    ("samples", "batch_size", "full", "rest", "steps"), [(10, 5, 2, 0, 2), (11, 5, 2, 1, 3), (3, 5, 0, 3, 1)]
)
def test_a_split_counts_full_batches_and_what_is_left(samples, batch_size, full, rest, steps):
    split = Split(samples, batch_size)
    assert (split.full, split.rest, split.steps) == (full, rest, steps)
    blocks, left = split.cut(np.arange(samples))
    assert [*blocks.ravel(), *left] == list(range(samples))


def test_a_trained_model_draws_nothing_before_training():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    assert draws_before_training(model)
    model.fit(ROWS, ROWS, verbose=0)
    assert not draws_before_training(model)


def test_a_draw_can_be_taken_back_until_its_epoch_is_trained():
    order = BatchOrder(Split(9, 4), shuffle=True, state=dict(np.random.RandomState(0).get_state(legacy=False)))
    order.draw()
    order.settle()
    order.undo()  # nothing is open
    once = order.draw()
    order.undo()
    assert np.array_equal(order.draw(), once)
