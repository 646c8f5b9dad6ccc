"""What this process is in a search, by KerasTuner's environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from dialed.keras_tuner.errors import FatalRuntimeError

__all__ = ["Role", "role_of"]

Role: TypeAlias = Literal["alone", "chief", "worker"]
"""A chief decides and trains nothing, a worker trains what a chief decided, and who is alone does both."""


def role_of(environment: Mapping[str, str]) -> Role:
    """The role that `environment` gives to this process.

    `KERASTUNER_TUNER_ID` names it: a name with "chief" in it is the chief's, as in KerasTuner. `KERASTUNER_ORACLE_IP` makes
    any other a worker. Nothing listens at that address, nor at `KERASTUNER_ORACLE_PORT`: chief and workers meet in the
    project's folder.

    Raises:
        FatalRuntimeError: There is an address and no name.
    """
    name, address = environment.get("KERASTUNER_TUNER_ID"), environment.get("KERASTUNER_ORACLE_IP")
    if name is None:
        if address is not None:
            raise FatalRuntimeError(
                "`KERASTUNER_TUNER_ID` must be set with `KERASTUNER_ORACLE_IP`: 'chief' for the process that decides, "
                f"another name for each worker. Got none with the address {address!r}."
            )
        return "alone"
    if "chief" in name:
        return "chief"
    return "alone" if address is None else "worker"
