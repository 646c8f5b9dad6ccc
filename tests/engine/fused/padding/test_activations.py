"""The table of activations says the truth about zero."""

import keras
import numpy as np
import pytest

from dialed.engine.fused.padding.activations import ELEMENTWISE, is_elementwise, keeps_zero, position


@pytest.mark.parametrize("activation", ELEMENTWISE, ids=lambda f: f.__name__)
def test_what_is_said_of_zero_holds(activation):
    x = np.array([[0.0, 0.7], [-1.3, 0.0]], "float32")
    whole = np.asarray(activation(x))
    assert (whole[0, 0] == 0) == keeps_zero(activation)
    assert whole[0, 0] == whole[1, 1]
    alone = [np.asarray(activation(np.array([[v]], "float32")))[0, 0] for v in x.ravel()]
    np.testing.assert_allclose(whole.ravel(), alone, rtol=1e-6)


def test_every_activation_of_keras_is_known_or_mixes_elements():
    names = {name for name in dir(keras.activations) if not name.startswith("_")}
    unknown = {name for name in names if not is_elementwise(getattr(keras.activations, name))}
    assert unknown == {"deserialize", "get", "glu", "log_softmax", "serialize", "softmax", "sparsemax", "threshold"}


def test_other_functions_have_no_position():
    assert position(np.tanh) is None
    assert not keeps_zero(np.tanh)
