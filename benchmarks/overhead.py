"""What a trial costs beside its training: imports, deciding, storing, and studies that have grown large.

    python benchmarks/overhead.py [--quick] [--json FILE]

Functions that return at once are searched over ten numbers, in SQLite files, by Dialed and by Optuna. CPU time counts,
since it does not depend on what else the machine does; each figure is the median of the repetitions, which take turns.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

from speed.machine import machine, sentence

NAMES = [f"x{i}" for i in range(10)]


def bowl(values: Mapping[str, float]) -> float:
    """Least in the middle."""
    return sum((values[name] - 0.5) ** 2 for name in NAMES)


def dialed_trials(trials: int, strategy: str) -> float:
    """CPU seconds of Dialed for each trial."""
    import dialed

    space = {name: dialed.Float(0.0, 1.0) for name in NAMES}
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        dialed.optimize(
            lambda hp: bowl(hp.values),
            space=space,
            strategy=strategy,
            max_trials=trials,
            seed=0,
            store=f"sqlite:///{folder}/study.db",
            name="overhead",
            verbose=0,
        )
        return (time.process_time() - began) / trials


def optuna_trials(trials: int, sampler: str) -> float:
    """CPU seconds of Optuna for each trial."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        study = optuna.create_study(
            storage=f"sqlite:///{folder}/study.db", sampler=getattr(optuna.samplers, sampler)(seed=0)
        )
        study.optimize(lambda trial: bowl({name: trial.suggest_float(name, 0.0, 1.0) for name in NAMES}), trials)
        return (time.process_time() - began) / trials


def dialed_decision(trials: int) -> float:
    """CPU seconds of one Bayesian decision when so many trials are known."""
    import numpy as np

    import dialed
    from dialed.strategies import Bayesian

    rng = np.random.default_rng(0)
    space = {name: dialed.Float(0.0, 1.0) for name in NAMES}
    known = [dict(zip(NAMES, map(float, row), strict=True)) for row in rng.random((trials, len(NAMES)))]
    with tempfile.TemporaryDirectory() as folder:
        store = f"sqlite:///{folder}/study.db"
        dialed.optimize(
            lambda hp: bowl(hp.values),
            space=space,
            strategy=dialed.strategies.Manual(known),
            max_trials=trials,
            seed=0,
            store=store,
            name="known",
            verbose=0,
        )
        study = dialed.load("known", store)
        strategy, seconds = Bayesian(), 0.0
        for turn in range(2):  # what is done once is not counted
            began = time.process_time()
            strategy.decide(study.space, study.record, np.random.default_rng(turn), 1)
            seconds = time.process_time() - began
        return seconds


def optuna_decision(sampler: str) -> Callable[[int], float]:
    """CPU seconds of one decision of a sampler when so many trials are known."""

    def decide(trials: int) -> float:
        import numpy as np
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        scale = optuna.distributions.FloatDistribution(0.0, 1.0)
        study = optuna.create_study(sampler=getattr(optuna.samplers, sampler)(seed=0))
        for row in np.random.default_rng(0).random((trials, len(NAMES))):
            values = dict(zip(NAMES, map(float, row), strict=True))
            distributions = dict.fromkeys(NAMES, scale)
            study.add_trial(optuna.trial.create_trial(params=values, distributions=distributions, value=bowl(values)))
        study.ask(dict.fromkeys(NAMES, scale))
        began = time.process_time()
        study.ask(dict.fromkeys(NAMES, scale))
        return time.process_time() - began

    return decide


def opening(trials: int) -> float:
    """CPU seconds to open a study of so many trials and ask for its best."""
    import dialed

    space = {name: dialed.Float(0.0, 1.0) for name in NAMES}
    with tempfile.TemporaryDirectory() as folder:
        store = f"sqlite:///{folder}/study.db"
        dialed.optimize(
            lambda hp: bowl(hp.values),
            space=space,
            strategy="random",
            max_trials=trials,
            seed=0,
            store=store,
            name="large",
            verbose=0,
        )
        began = time.process_time()
        assert dialed.load("large", store).best_trial is not None
        return time.process_time() - began


def importing(module: str) -> float:
    """CPU seconds of a fresh Python that imports `module`, above one that imports nothing."""
    code = "import time; began = time.process_time(); import {}; print(time.process_time() - began)"
    done = subprocess.run([sys.executable, "-c", code.format(module)], capture_output=True, text=True, check=True)
    return float(done.stdout)


def rows(*, quick: bool) -> dict[str, tuple[str, Callable[[], float]]]:
    """By what is measured: the module it needs, and how."""
    few, known, large = (50, 50, 200) if quick else (1000, 1000, 20_000)
    return {
        "import dialed": ("dialed", lambda: importing("dialed")),
        "import optuna": ("optuna", lambda: importing("optuna")),
        f"a random trial of {few}, Dialed": ("dialed", lambda: dialed_trials(few, "random")),
        f"a random trial of {few}, Optuna": ("optuna", lambda: optuna_trials(few, "RandomSampler")),
        f"a Bayesian decision after {known} trials, Dialed": ("dialed", lambda: dialed_decision(known)),
        f"a TPE decision after {known} trials, Optuna": ("optuna", lambda: optuna_decision("TPESampler")(known)),
        f"a GP decision after {known} trials, Optuna": ("torch", lambda: optuna_decision("GPSampler")(known)),
        f"opening a study of {large} trials, Dialed": ("dialed", lambda: opening(large)),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small numbers, once")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there too")
    given = parser.parse_args()
    found: dict[str, list[float]] = {}
    left: dict[str, str] = {}
    for _ in range(1 if given.quick else 3):
        for name, (module, measure) in rows(quick=given.quick).items():
            if importlib.util.find_spec(module) is None:
                left[name] = f"needs {module}"
            else:
                found.setdefault(name, []).append(measure())
    print(f"{'':52}{'CPU ms':>10}")
    for name, seconds in found.items():
        print(f"{name:52}{1000 * median(seconds):10.2f}")
    for name, reason in left.items():
        print(f"{name}: left out: {reason}")
    facts = machine()
    print(sentence(facts))
    if given.json:
        given.json.write_text(json.dumps({"machine": facts, "seconds": found, "left_out": left}, indent=1) + "\n")


if __name__ == "__main__":
    main()
