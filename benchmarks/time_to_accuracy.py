"""How soon a search finds a good model: KerasTuner, Optuna, Ray Tune and Dialed on the same tasks, spaces and seconds.

    python benchmarks/time_to_accuracy.py --data FOLDER                        all tasks, all sides, five seeds
    python benchmarks/time_to_accuracy.py --data FOLDER --tasks mnist --quick  a minute, to see that all works

FOLDER holds mnist.npz and fashion_mnist.npz as Keras has them, adult.npz (X, y), imdb_tokens.npz (train_tokens,
train_offsets, y_train) and etth1.npz (values). Each side runs in a process of its own, one after the other, in turn,
until its seconds are over; imports and the reading of data are not counted, compiling is. What counts is the best
validation so far after each trained epoch, whoever's. Sides that cannot be imported here are left out, and named.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from race.sides import SIDES
from race.tasks import TASKS
from race.told import lines, table
from race.watched import Run, watch
from speed.machine import machine, sentence

QUICK_SAMPLES = 0.1


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where a side failed."""
    given = _parser().parse_args(arguments)
    left = {side: f"needs {SIDES[side][0]}" for side in given.sides if not importlib.util.find_spec(SIDES[side][0])}
    left |= {task: f"needs {TASKS[task].file}" for task in given.tasks if not (given.data / TASKS[task].file).is_file()}
    runs: list[Run] = []
    for seed in range(given.seeds):
        for task in given.tasks:
            for side in given.sides:
                if task not in left and side not in left:
                    runs.append(watch(_request(task, side, seed, given)))
                    _tell(runs[-1])
    document = _document(runs, left, given)
    if given.json:
        given.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print("\n".join(table(lines(runs))))
    for name, reason in left.items():
        print(f"{name}: left out: {reason}")
    print(f"\n{sentence(document['machine'])}")
    return 1 if any(run.error or not run.curve for run in runs) else 0


def _request(task: str, side: str, seed: int, given: argparse.Namespace) -> dict[str, Any]:
    share = QUICK_SAMPLES if given.quick else 1.0
    return {
        "task": task,
        "side": side,
        "backend": SIDES[side][1],
        "seed": seed,
        "seconds": given.seconds,
        "data": str(given.data.resolve()),
        "samples": int(TASKS[task].samples * share),
        "held_out": int(TASKS[task].held_out * share),
    }


def _document(runs: Sequence[Run], left: dict[str, str], given: argparse.Namespace) -> dict[str, Any]:
    settings = {"seeds": given.seeds, "seconds": given.seconds, "quick": given.quick}
    facts = machine()
    return {"machine": facts, "settings": settings, "runs": [asdict(run) for run in runs], "left_out": left}


def _tell(run: Run) -> None:
    found = "failed: " + run.error if run.error or not run.curve else f"{len(run.curve)} epochs in {run.wall:.0f} s"
    print(f"{run.task}, {run.side}, seed {run.seed}: {found}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="where the .npz files are")
    parser.add_argument("--tasks", type=_some(TASKS), default=list(TASKS), metavar="A,B", help="which tasks")
    parser.add_argument("--sides", type=_some(SIDES), default=list(SIDES), metavar="A;B", help="who takes part")
    parser.add_argument("--seeds", type=int, default=5, help="runs of each side; medians are shown (5)")
    parser.add_argument("--seconds", type=float, default=120.0, help="of each run (120)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the samples")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there too")
    return parser


def _some(known: dict[str, Any]) -> Any:
    separator = ";" if known is SIDES else ","

    def chosen(text: str) -> list[str]:
        names = [name.strip() for name in text.split(separator)]
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"no such name: {name}. There are {separator.join(known)}.")
        return names

    return chosen


if __name__ == "__main__":
    sys.exit(main())
