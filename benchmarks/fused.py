"""How much faster the fused engine trains a search than what a user writes today.

    python benchmarks/fused.py --data FOLDER                every row, three rounds
    python benchmarks/fused.py --rows tabular-32 --profile  one row, and where its time goes
    python benchmarks/fused.py --quick                      tiny sizes: whether it works at all

FOLDER holds mnist.npz and fashion_mnist.npz as Keras has them, and imdb_tokens.npz (train_tokens, train_offsets,
y_train); rows whose file is missing are skipped. Both sides train the same configurations under the same seed, each time
in a fresh process, in turn. Stock is a loop over `build` and `model.fit` on the JAX backend, for folds scikit-learn's
`GridSearchCV`. Dialed is `Tuner(engine="fused")` with its store, once with an empty and once with a filled cache of
compiled programs. Imports are not counted. Both must prefer the same trial.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

from speed.machine import machine, sentence
from speed.measure import Failed, Result, Settings, measure
from speed.rows import ROWS
from speed.told import table, where_time_goes


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where a row failed or the sides prefer different trials."""
    given = _parser().parse_args(arguments)
    settings = Settings(
        data=given.data,
        repeats=1 if given.quick else given.repeats,
        quick=given.quick,
        full=given.full,
        engine_only=given.engine_only,
        profile=given.profile,
    )
    facts = machine()
    results: list[Result] = []
    left: dict[str, str] = {}
    for name in given.rows:
        reason = _obstacle(name, settings, facts["platform"])
        if reason:
            left[name] = reason
            continue
        try:
            results.append(measure(name, settings, _note))
        except Failed as error:
            left[name] = f"failed: {error}"
    if given.json:
        document = {"machine": facts, "rows": [asdict(result) for result in results], "left_out": left}
        given.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    _print(results, left, facts, settings)
    failed = any(reason.startswith("failed") for reason in left.values())
    return 1 if failed or not all(result.same_winner for result in results) else 0


def _obstacle(name: str, settings: Settings, platform: str) -> str:
    """Why a row cannot be measured here; empty where it can."""
    row = ROWS[name]
    if row.device != platform:
        return f"needs a {row.device}; this process sees a {platform}"
    if row.file is not None and settings.data is None:
        return f"needs {row.file}: pass --data FOLDER"
    if row.file is not None and settings.data is not None and not (settings.data / row.file).is_file():
        return f"needs {row.file}, which is not in {settings.data}"
    return ""


def _print(results: Sequence[Result], left: dict[str, str], facts: dict[str, Any], settings: Settings) -> None:
    if results:
        print("\n".join(table(results)))
    for result in results:
        if result.profile:
            print("\n" + "\n".join(where_time_goes(result)))
    for name, reason in left.items():
        print(f"{name}: not measured: {reason}")
    sizes = "; TINY SIZES, no measurement" if settings.quick else f"; medians of {settings.repeats} rounds"
    side = "the engine alone" if settings.engine_only else "through Tuner"
    print(f"\n{sentence(facts)}; Dialed {side}{sizes}")


def _note(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="where the .npz files are")
    parser.add_argument("--rows", type=_rows, default=",".join(ROWS), metavar="A,B", help="which rows")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="rounds; medians are shown")
    parser.add_argument("--quick", action="store_true", help="tiny sizes and one round, to try the benchmark itself")
    parser.add_argument("--full", action="store_true", help="stock trains all trials of rows that sample them")
    parser.add_argument("--engine-only", action="store_true", help="without tuner, store and reports")
    parser.add_argument("--profile", action="store_true", help="show where Dialed's time goes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there too")
    return parser


def _rows(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in ROWS:
            raise argparse.ArgumentTypeError(f"no such row: {name}. There are {', '.join(ROWS)}.")
    return names


if __name__ == "__main__":
    sys.exit(main())
