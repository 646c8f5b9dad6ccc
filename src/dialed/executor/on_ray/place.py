"""What a user may say about the cluster that trains a search."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dialed.errors import InvalidInputError

__all__ = ["Ray"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ray:
    """Workers on a Ray cluster: on this machine, or on many.

    To choose: `executor=dialed.Ray(...)` for more than one machine, or where Ray deals out the machine anyway. On one
    machine the executor "processes" starts sooner and needs nothing. Its text form, `executor="ray"`, has all defaults,
    and `executor="ray://host:10001"` is a cluster's address.

    Args:
        address: Of a running cluster: "auto", "host:6379", or "ray://host:10001" through Ray's client. Defaults to the
            cluster that this process has joined (`ray.init`), or else to a new one on this machine.
        num_cpus: Cores that each worker asks for; fractions are allowed. Defaults to 1.
        num_gpus: Accelerators that each worker asks for; 0.5 lets two workers share one. Defaults to 0.
        resources: Other resources that each asks for, by their names in the cluster. Defaults to none.

    Raises:
        InvalidInputError: A number cannot mean anything.

    Example:
        >>> import dialed
        >>> dialed.Ray(num_gpus=0.5).num_gpus
        0.5
    """

    address: str | None = None
    num_cpus: float = 1.0
    num_gpus: float = 0.0
    resources: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        for name in ("num_cpus", "num_gpus"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
                raise InvalidInputError(f"The `{name}` of Ray must be a number in the range [0, inf). Got {value!r}.")
