"""Dialed's strategies in a study of Optuna: `optuna.create_study(sampler=DialedSampler())`.

The other way round, `dialed.strategies.FromOptuna` lets a sampler of Optuna choose the trials of Dialed.
"""

from dialed.search.from_optuna import require_optuna as _require_optuna

_require_optuna()

from dialed.optuna.sampler import DialedSampler

__all__ = ["DialedSampler"]
