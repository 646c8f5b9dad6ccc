"""Figures and their looks: light and dark, in colours that everybody can tell apart.

Single marks take Okabe and Ito's colours, and a shape of their own, so that nothing is told by colour alone. What has an
order takes viridis, whose lightness grows with it, cut at the end that would vanish on the paper; the best is always
what stands out most.

References:
    Okabe and Ito 2008, "Color universal design".
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import numpy as np

from dialed.errors import InvalidInputError, MissingDependencyError
from dialed.observe.choose import in_notebook

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

__all__ = ["THEMES", "Look", "Sheet", "Theme", "canvas", "dress", "look_of", "palette", "whole_numbers"]

Theme: TypeAlias = Literal["light", "dark"]

WIDTH, DPI = 9.0, 100
"""A figure is 900 pixels wide; what is written in it can be read at that size."""

FONT = 10.5
LINE = 100
"""Characters of a title in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The colours of one theme. `quality` is the part of viridis from the worst to the best."""

    paper: str
    ink: str
    dim: str
    grid: str
    point: str
    winner: str
    defaults: str
    failed: str
    fresh: str
    quality: tuple[float, float]


THEMES: dict[str, Look] = {
    "light": Look(
        paper="#ffffff",
        ink="#1a1a1a",
        dim="#6a6a6a",
        grid="#e4e4e4",
        point="#0072b2",
        winner="#d55e00",
        defaults="#009e73",
        failed="#cc79a7",
        fresh="#0072b2",
        quality=(0.93, 0.0),
    ),
    "dark": Look(
        paper="#14161a",
        ink="#ececec",
        dim="#a3a3a3",
        grid="#33373d",
        point="#56b4e9",
        winner="#e69f00",
        defaults="#00b383",
        failed="#cc79a7",
        fresh="#56b4e9",
        quality=(0.22, 1.0),
    ),
}


def look_of(theme: str) -> Look:
    """The colours of `theme`.

    Raises:
        InvalidInputError: There is no such theme.
    """
    if theme not in THEMES:
        raise InvalidInputError(f"The `theme` must be 'light' or 'dark'. Got {theme!r}.")
    return THEMES[theme]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sheet:
    """What is drawn on: a figure of its own, or axes that somebody gave."""

    figure: Figure
    grid: Any
    look: Look
    own: bool

    @property
    def axes(self) -> Axes:
        """The first axes; the only ones where a picture needs no more."""
        first: Axes = self.grid[0, 0]
        return first

    def title(self, text: str, *, room: float = 10) -> None:
        """Say what is seen, above all; `room` points are left below it in axes that were given."""
        if self.own:
            self.figure.suptitle(fill(text, LINE), x=0.01, ha="left", fontsize=FONT + 1.5, color=self.look.ink)
        else:
            self.axes.set_title(text, loc="left", fontsize=FONT + 0.5, pad=room, color=self.look.ink)

    def sides(self, across: str = "", up: str = "") -> None:
        """Name what goes across and what goes up."""
        self.axes.set_xlabel(across)
        self.axes.set_ylabel(up)

    def legend(self, handles: Sequence[Artist] | None = None, *, columns: int = 4) -> None:
        """Explain the marks, below a figure of our own; by default those that were drawn with a label."""
        marks = self.axes.get_legend_handles_labels()[0] if handles is None else list(handles)
        if not marks:
            return
        if self.own:
            self.figure.legend(handles=marks, loc="outside lower left", ncols=columns, labelcolor=self.look.ink)
        else:
            self.axes.legend(handles=marks, fontsize="small", labelcolor=self.look.ink)


@contextmanager
def canvas(
    look: Look,
    ax: Axes | None = None,
    *,
    height: float = 4.8,
    rows: int = 1,
    columns: int = 1,
    widths: Sequence[float] | None = None,
    heights: Sequence[float] | None = None,
) -> Iterator[Sheet]:
    """A figure with `rows` x `columns` axes, or the axes that were given, to draw on with the fonts and colours of `look`.

    Raises:
        MissingDependencyError: Matplotlib is not installed.
    """
    matplotlib = _matplotlib()
    settings = {"font.size": FONT, "text.color": look.ink, "legend.frameon": False}
    with matplotlib.rc_context(settings):
        if ax is not None:
            figure, grid = cast("Figure", ax.get_figure(root=True)), np.array([[ax]])
        else:
            figure = _figure(height)
            figure.set_facecolor(look.paper)
            grid = figure.subplots(rows, columns, squeeze=False, width_ratios=widths, height_ratios=heights)
        for each in grid.flat:
            dress(each, look)
        yield Sheet(figure=figure, grid=grid, look=look, own=ax is None)


def dress(axes: Axes, look: Look) -> None:
    """Give axes the colours of `look`."""
    axes.set_facecolor(look.paper)
    axes.tick_params(colors=look.dim, labelcolor=look.ink, which="both")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(look.dim)
    axes.xaxis.label.set_color(look.ink)
    axes.yaxis.label.set_color(look.ink)
    axes.title.set_color(look.ink)
    axes.grid(visible=True, color=look.grid, linewidth=0.7)
    axes.set_axisbelow(True)


def whole_numbers(axis: Axis, most: int = 8) -> None:
    """Let the ticks of one side be integers, at most `most` of them."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=most, integer=True))


def palette(look: Look) -> Colormap:
    """Colours from the worst (0) to the best (1)."""
    from matplotlib.colors import LinearSegmentedColormap

    viridis = _matplotlib().colormaps["viridis"]
    return LinearSegmentedColormap.from_list("quality", viridis(np.linspace(*look.quality, 64)))


def _matplotlib() -> Any:
    try:
        import matplotlib
    except ImportError as error:
        raise MissingDependencyError(
            'Plots need Matplotlib, which is not installed. Install it with `pip install "dialed[plots]"`.'
        ) from error
    return matplotlib


def _figure(height: float) -> Figure:
    """A figure that shows itself in a notebook, and in a window where a script asks `pyplot` for one."""
    size = {"figsize": (WIDTH, height), "dpi": DPI, "layout": "constrained"}
    if "matplotlib.pyplot" in sys.modules and not in_notebook():
        figure: Figure = sys.modules["matplotlib.pyplot"].figure(**size, FigureClass=_picture())
        return figure
    # A notebook would show a figure of pyplot twice: when the cell ends, and as the cell's value.
    return _picture()(**size)  # type: ignore[no-any-return]


def _picture() -> Any:
    from matplotlib.figure import Figure

    class Picture(Figure):
        """A figure that a notebook shows though it is none of pyplot's."""

        def _repr_png_(self) -> bytes:
            file = io.BytesIO()
            self.savefig(file, format="png")
            return file.getvalue()

    return Picture
