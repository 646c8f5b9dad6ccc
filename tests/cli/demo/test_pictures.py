"""Images drawn with characters."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from dialed.cli.demo.images import Images
from dialed.cli.demo.pictures import SIDE, Prediction, gallery, shaded, squeezed


def drawn(predictions: list[Prediction], **options: object) -> str:
    file = io.StringIO()
    console = Console(file=file, width=80, highlight=False, **options)  # type: ignore[arg-type]
    console.print(gallery(predictions, console))
    return file.getvalue()


def predictions(count: int = 10) -> list[Prediction]:
    digits = Images.digits()
    return [
        Prediction(image=image / 16, label=int(label), said=int(label), probability=0.97)
        for image, label in zip(digits.x_test[:count], digits.y_test[:count], strict=True)
    ]


@given(st.integers(1, 40), st.integers(1, 40))
def test_a_picture_has_its_size_whatever_the_image_has(height: int, width: int) -> None:
    """Pixels stay between 0 and 1, and the brightest is 1."""
    image = np.random.default_rng(0).random((height, width))
    small = squeezed(image, SIDE)
    assert small.shape == (SIDE, SIDE) and small.min() >= 0.0 and small.max() == pytest.approx(1.0)


def test_a_black_image_stays_black() -> None:
    assert not squeezed(np.zeros((8, 8)), SIDE).any()


def test_a_picture_keeps_what_is_where() -> None:
    """A bright corner stays in its corner, from a larger image and from a smaller one."""
    for side in (8, 28):
        image = np.zeros((side, side))
        image[: side // 2, : side // 2] = 1.0
        small = squeezed(image, SIDE)
        assert small[2, 2] == pytest.approx(1.0) and small[-3:, :].max() == small[:, -3:].max() == 0.0


def test_shades_go_from_dark_to_bright() -> None:
    pixels = np.repeat(np.linspace(0.0, 1.0, 5)[None, :], 2, axis=0)
    assert shaded(pixels, " .:*#") == " .:*#"


def test_ten_images_fit_on_80_columns_with_their_predictions() -> None:
    lines = drawn(predictions()).splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) == 2 * (SIDE // 2 + 1)
    assert [line.count("97 %") for line in lines if "%" in line] == [5, 5]


def test_a_wrong_prediction_is_told_with_the_truth() -> None:
    wrong = Prediction(image=np.ones((8, 8)), label=3, said=5, probability=0.61)
    assert not wrong.right and "5  61 %, is 3" in drawn([wrong])


def test_a_terminal_with_colours_gets_two_pixels_a_character() -> None:
    said = drawn(predictions(1), force_terminal=True, color_system="truecolor")
    assert said.count("▀") == SIDE * SIDE // 2 and "\x1b[38;2;" in said


def test_without_colours_shades_do() -> None:
    said = drawn(predictions(1))
    assert "█" in said and "\x1b" not in said


def test_a_narrow_encoding_gets_ascii() -> None:
    """A log in ASCII gets pictures too."""
    written = io.BytesIO()
    file = io.TextIOWrapper(written, encoding="ascii")
    console = Console(file=file, width=80, highlight=False)
    console.print(gallery(predictions(), console))
    file.flush()
    assert b"#" in written.getvalue()
