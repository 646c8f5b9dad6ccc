"""A tuner for a study that was searched before: from the code and the data that it was searched with, without searching."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dialed.engine.fingerprint import differences, fingerprint
from dialed.errors import SpaceError, StudyError
from dialed.store import open_catalog
from dialed.study.settings import unlike

if TYPE_CHECKING:
    from dialed.engine.hypermodel import Hypermodel
    from dialed.study.study import Study
    from dialed.study.tuner import Tuner

__all__ = ["rebuilt"]


def rebuilt(study: Study, hypermodel: Hypermodel, x: Any, y: Any, *, cv: Any, arguments: Mapping[str, Any]) -> Tuner:
    """A tuner that can train the configurations of `study` again. Nothing is trained, and nothing is written.

    Args:
        study: What was searched.
        hypermodel: As the tuner had it.
        x: As the search had it.
        y: The same.
        cv: As the tuner had it.
        arguments: The other arguments of the search.

    Raises:
        StudyError: The study is none of Keras models, or it was searched on other terms or other data.
        SpaceError: The winner's values lie outside the space of `hypermodel`.
    """
    from dialed.study.tuner import Tuner

    store, known = study._store, study.settings.get("data")
    if known is None:
        raise StudyError(
            f"The study '{study.name}' must be one of a tuner over Keras models to be trained again with a `hypermodel`. "
            "Its record names no data. `study.compare(other)` alone compares what is recorded."
        )
    if store.address is None:
        raise StudyError(
            f"The study '{study.name}' must be in a file or a database to be trained again. It is in memory: call "
            "`compare` of the tuner that searched it."
        )
    tuner = Tuner(
        hypermodel,
        list(study.objectives),
        constraints=study.constraints,
        repeats=len(store.terms.seeds),
        cv=cv,
        engine=str(study.settings.get("engine", "auto")),
        confirm=False,
        seed=store.terms.seed,
        name=study.name,
        store=store.address,
        verbose=0,
    )
    prepared = tuner.prepare(x, y, arguments, seed=store.terms.seed)
    for what, before, now in unlike(store.terms, prepared.terms):
        raise StudyError(
            f"The study '{study.name}' was searched with {what}={before}, and must be trained again with the same, or "
            f"scores could not be compared. Got {what}={now}. Pass what the tuner and its `search` were given."
        )
    changed = differences(known, fingerprint(prepared.data))
    if changed:
        raise StudyError(
            f"The data must be those of the study '{study.name}', which were recorded when it was searched. Got other "
            f"data: {' '.join(changed)} Load what the search was given."
        )
    if study.winner is not None and not prepared.space.contains(study.winner.values):
        raise SpaceError(
            f"The `hypermodel` must ask for what that of the study '{study.name}' asked for. Its winner's values "
            f"{dict(study.winner.values)} lie outside the space: {' '.join(study.space.difference(prepared.space))}"
        )
    folder = (
        posixpath.dirname(str(store.artifacts)) if not isinstance(store.artifacts, Path) else store.artifacts.parent
    )
    tuner.attach(open_catalog(store.address, artifacts=folder), store, prepared)
    return tuner
