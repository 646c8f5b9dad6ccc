"""Finding the space by building: the build function is run with chosen values, and what it asks for is recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dialed.errors import SpaceError
from dialed.space.hyperparameters import HyperParameters, Infeasible
from dialed.space.space import Space
from dialed.trial import Values

__all__ = ["Discovery", "Failure", "discover"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A build that raised: with which values, and what."""

    values: Values
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """The space as far as it was found, how many builds that took, and which of them failed."""

    space: Space
    builds: int
    failures: tuple[Failure, ...] = ()


def discover(build: Callable[[HyperParameters], object], *, max_builds: int = 32) -> Discovery:
    """Find out what `build` asks for."""
    hp = HyperParameters()
    try:
        build(hp)
    except Infeasible:
        pass
    except Exception as error:
        raise SpaceError(
            f"The build function must run with the default values, {hp.asked}. It raised {error!r}."
        ) from error
    return Discovery(space=hp.found, builds=1)
