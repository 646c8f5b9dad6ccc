"""TensorBoard as an observer of a search that runs, and as a form of a study that is there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from dialed.clock import Clock, SystemClock
from dialed.errors import InvalidInputError
from dialed.events import Event
from dialed.observe.tensorboard.records import FILE, append, event, image, messages
from dialed.observe.tensorboard.runs import Runs
from dialed.search.history import Terms
from dialed.store.protocol import Recorded

__all__ = ["TensorBoard", "write_study"]


class TensorBoard:
    """Writes a search for TensorBoard while it runs: scalars after each epoch, and the HParams page.

    To choose: where you look at trainings in TensorBoard already. It works with every backend and needs no TensorFlow.
    A resumed search goes on in the same files.

    Args:
        folder: Where to write. Each study gets a folder of its own name in it.
        clock: Where the times of the points come from. Defaults to the machine's.

    Raises:
        MissingDependencyError: The package `tensorboard` is not installed.

    Example:
        >>> import dialed, tempfile
        >>> from dialed.trackers import TensorBoard
        >>> logs = Path(tempfile.mkdtemp())
        >>> study = dialed.optimize(
        ...     lambda hp: hp.Float("x", 0.0, 1.0), max_trials=2, name="bowl", observers=[TensorBoard(logs)], verbose=0
        ... )
        >>> sorted(path.name for path in (logs / "bowl").iterdir() if path.is_dir())
        ['trial-0000', 'trial-0001']
    """

    def __init__(self, folder: str | Path, *, clock: Clock | None = None) -> None:
        messages()
        self.folder = Path(folder)
        self._clock = clock or SystemClock()
        self._runs: Runs | None = None

    def watch(self, name: str, terms: Terms) -> None:
        """Begin with the study `name`."""
        self._runs = Runs(self.folder / study_folder(name), terms)

    def recall(self, events: Sequence[Event]) -> None:
        """Write what earlier sessions did, where it is not written yet."""
        for item in events:
            self.on_event(item)

    def on_event(self, event: Event) -> None:
        """Write what follows from `event`."""
        if self._runs is None:
            raise InvalidInputError("A `TensorBoard` must be told its study by `watch` before it sees events.")
        self._runs.apply(event, self._clock.now())


def write_study(
    recorded: Sequence[Recorded],
    folder: str | Path,
    *,
    name: str,
    terms: Terms,
    images: Mapping[str, bytes] | None = None,
) -> Path:
    """Write a study for TensorBoard, and return its folder in `folder`. What is written already is not written twice.

    Args:
        recorded: The study's events.
        folder: Where to make it.
        name: The study's name.
        terms: What it trains each trial for.
        images: Pictures to show beside it, as PNG files by their names. Defaults to none.
    """
    root = Path(folder) / study_folder(name)
    runs = Runs(root, terms)
    for item in recorded:
        runs.apply(item.event, item.time)
    time = recorded[-1].time if recorded else 0.0
    runs.experiment(time)
    if images:
        pictures = root / "pictures"
        pictures.mkdir(exist_ok=True)
        values = [image(title, png) for title, png in images.items()]
        (pictures / FILE).unlink(missing_ok=True)
        append(pictures / FILE, [event(time, values)], time=time)
    return root


def study_folder(name: str) -> str:
    """The name of a study as one of a folder."""
    return re.sub(r"[^\w.-]+", "-", name).strip(".-") or "study"
