"""The images of the demo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dialed.cli.demo.images import Images
from dialed.errors import DataError


def arrays(**others: np.ndarray) -> dict[str, np.ndarray]:
    made = {
        "x_train": np.full((20, 6, 4), 255, dtype="uint8"),
        "y_train": np.arange(20) % 3,
        "x_test": np.zeros((5, 6, 4), dtype="uint8"),
        "y_test": np.arange(5) % 3,
    }
    return {name: array for name, array in {**made, **others}.items() if array is not None}


def saved(folder: Path, **others: np.ndarray) -> str:
    np.savez(folder / "images.npz", **arrays(**others))
    return str(folder / "images.npz")


def test_the_digits_are_those_of_scikit_learn_split_by_class() -> None:
    digits = Images.digits()
    assert digits.shape == (8, 8) and digits.brightest == 16.0 and digits.classes == 10
    assert len(digits.x_train) + len(digits.x_test) == 1797
    shares = np.bincount(digits.y_test) / len(digits.y_test)
    assert shares.min() > 0.09 and shares.max() < 0.11


def test_the_digits_are_split_the_same_way_each_time() -> None:
    """A demo that is resumed must not train on what it was tested on."""
    assert (Images.digits().x_test == Images.digits().x_test).all()


def test_a_file_gives_images_of_any_size(tmp_path: Path) -> None:
    images = Images.of_file(saved(tmp_path))
    assert (images.shape, images.brightest, images.classes) == ((6, 4), 255.0, 3)
    assert images.describe() == "20 images of 6 x 4 pixels to search with, 5 to test the winner"


def test_labels_may_stand_in_a_column(tmp_path: Path) -> None:
    assert Images.of_file(saved(tmp_path, y_train=np.zeros((20, 1), int))).y_train.shape == (20,)


def test_large_sets_take_fewer_epochs_of_larger_batches() -> None:
    large = Images(**arrays(x_train=np.ones((10_000, 1, 1)), y_train=np.zeros(10_000, int)))
    assert (large.epochs, large.batch_sizes) == (5, [64, 128, 256])
    assert (Images.digits().epochs, Images.digits().batch_sizes) == (20, [32, 64, 128])


def test_black_images_are_not_divided_by_zero() -> None:
    assert Images(**arrays(x_train=np.zeros((3, 2, 2)))).brightest == 1.0


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"x_test": None, "y_test": None}, "must hold `x_test` for the demo. Got none."),
        (
            {"x_train": np.zeros((20, 24))},
            r"`x_train` in '.*' must be images of shape .* Got float64 of shape \(20, 24\)",
        ),
        ({"x_test": np.zeros((0, 6, 4))}, "`x_test` in '.*' must be images"),
        ({"x_train": np.zeros((20, 6, 4), "U1")}, "`x_train` in '.*' must be images"),
        ({"y_train": np.zeros(20)}, "`y_train` in '.*' must be labels 0, 1, 2, .* Got float64"),
        ({"y_test": np.zeros((5, 3), int)}, "`y_test` in '.*' must be labels"),
        ({"y_test": np.full(5, -1)}, "`y_test` in '.*' must be labels"),
    ],
)
def test_what_is_not_images_with_labels_is_refused(tmp_path: Path, others: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Images.of_file(saved(tmp_path, **others))
