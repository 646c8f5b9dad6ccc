"""Images drawn with characters, so that a terminal can show what a model said of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["Prediction", "gallery", "shaded", "squeezed"]

SIDE = 14
"""Pixels of a picture on each side; two rows of pixels share a line of text."""

PER_ROW = 5  # five pictures of 14 columns and their gaps fill 80 columns

_SHADES = " ░▒▓█"
_PLAIN_SHADES = " .:*#"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prediction:
    """What a model said of one image of shape (height, width), its pixels between 0 and 1."""

    image: np.ndarray
    label: int
    said: int
    probability: float

    @property
    def right(self) -> bool:
        """Whether it is so."""
        return self.said == self.label


def gallery(predictions: Sequence[Prediction], console: Console) -> Table:
    """The images in rows of five, each with its prediction below, as `console` can show them."""
    table = Table.grid(padding=(0, 1))
    for start in range(0, len(predictions), PER_ROW):
        row = predictions[start : start + PER_ROW]
        table.add_row(*(_picture(p.image, console) for p in row))
        table.add_row(*(_caption(p) for p in row))
    return table


def _caption(prediction: Prediction) -> Text:
    text = f"{prediction.said}  {100 * prediction.probability:.0f} %"
    if prediction.right:
        return Text(text.center(SIDE), style="green")
    return Text(f"{text}, is {prediction.label}".center(SIDE), style="bold red")


def _picture(image: np.ndarray, console: Console) -> Text:
    pixels = squeezed(image, SIDE)
    if console.color_system in (None, "standard", "windows"):
        shades = _SHADES if console.encoding.lower().startswith("utf") else _PLAIN_SHADES
        return Text(shaded(pixels, shades))
    return _half_blocks(pixels)


def _half_blocks(pixels: np.ndarray) -> Text:
    """Two pixels a character: the upper half in the colour of the text, the lower in that of the background."""
    text = Text()
    for upper, lower in zip(pixels[0::2], pixels[1::2], strict=True):
        for above, below in zip(upper, lower, strict=True):
            text.append("▀", style=f"{_grey(above)} on {_grey(below)}")
        text.append("\n")
    text.right_crop(1)
    return text


def _grey(brightness: float) -> str:
    level = round(255 * float(brightness))
    return f"rgb({level},{level},{level})"


def shaded(pixels: np.ndarray, shades: str) -> str:
    """`pixels` between 0 and 1 as lines of characters, two rows of pixels in each line."""
    upper, lower = pixels[0::2], pixels[1::2]
    brightness = (np.maximum(upper, lower) + (upper + lower) / 2) / 2  # a mean alone would lose thin strokes
    indices = np.minimum((brightness * len(shades)).astype(int), len(shades) - 1)
    return "\n".join("".join(shades[i] for i in row) for row in indices)


def squeezed(image: np.ndarray, side: int) -> np.ndarray:
    """`image`, (height, width), as (side, side): averaged where it is larger, interpolated where it is smaller.

    Its brightest pixel becomes 1, since averaging thin strokes makes them pale.
    """
    rows, columns = (_weights(length, side) for length in image.shape)
    small = np.maximum(rows @ image @ columns.T, 0.0)
    return np.asarray(small / (small.max() or 1.0))


def _weights(length: int, side: int) -> np.ndarray:
    """How much each of `length` pixels counts in each of `side`: a triangle as wide as the larger of the two pixels."""
    width = max(length / side, 1.0)
    centres = (np.arange(side) + 0.5) * length / side - 0.5
    weights = np.maximum(0.0, 1.0 - np.abs(centres[:, None] - np.arange(length)[None, :]) / width)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
