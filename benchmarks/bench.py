"""All benchmarks in one go: runs the parts that are asked for, prints their tables, and keeps what they found.

    make bench                             all parts in full: a day
    make bench PARTS=quick                 all parts, small: under 20 minutes on two idle cores
    make bench PARTS=grid,race-mnist       some

`make` makes an environment with the peers and calls this file in it. `--data` is the folder of the .npz files that
`time_to_accuracy.py` names, `--tables` that of the recorded trainings that `search.py` takes. A part whose files are
missing says so. Results go to benchmarks/results/, quick ones to benchmarks/results/quick/, which git ignores;
`results_page.py` makes the documentation's page of them.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from speed.machine import machine, sentence

HERE = Path(__file__).parent
RESULTS = HERE / "results"
TASKS = ("mnist", "fashion", "tabular", "text", "series")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One benchmark: the script, its arguments in full and when quick; `{data}`, `{tables}` are filled in.

    `tells` says whether it writes a file of figures when told to with `--json`.
    """

    title: str
    script: str
    full: tuple[str, ...] = ()
    quick: tuple[str, ...] = ()
    tells: bool = True


def _race(task: str) -> Part:
    quick = ("--data", "{data}", "--tasks", task, "--quick", "--seeds", "1", "--seconds", "10")
    return Part(
        title=f"Time to accuracy: {task}",
        script="time_to_accuracy.py",
        full=("--data", "{data}", "--tasks", task),
        quick=quick,
    )


PARTS: Mapping[str, Part] = {
    "fused": Part(
        title="The fused engine against a loop over model.fit",
        script="fused.py",
        full=("--data", "{data}"),
        quick=("--data", "{data}", "--quick"),
    ),
    "grid": Part(
        title="GridSearchCV, 18 candidates and 5 folds, against scikit-learn's with SciKeras",
        script="grid_search.py",
        full=("--data", "{data}/mnist.npz"),
        quick=("--data", "{data}/mnist.npz", "--rows", "500"),
    ),
    **{f"race-{task}": _race(task) for task in TASKS},
    "search": Part(
        title="Search quality on recorded trainings",
        script="search.py",
        full=("--data", "{tables}", "--seeds", "30", "--tasks", "4", "--trials", "100"),
        quick=("--data", "{tables}", "--seeds", "1", "--tasks", "1", "--trials", "25"),
    ),
    "memory": Part(
        title="Memory over many trials against KerasTuner",
        script="memory.py",
        full=("--trials", "200"),
        quick=("--trials", "20"),
    ),
    "overhead": Part(
        title="What a trial costs beside its training",
        script="overhead.py",
        quick=("--quick",),
    ),
    "store": Part(
        title="Remembering and deciding beside Optuna", script="store.py", quick=("loop", "virtual"), tells=False
    ),
    "workers": Part(
        title="Four processes against one",
        script="workers.py",
        quick=("--trials", "4", "--epochs", "2", "--workers", "2", "--rounds", "1"),
        tells=False,
    ),
    "trust": Part(
        title="What a confirmation promises",
        script="trust.py",
        quick=("--studies", "1000", "--searched", "50"),
        tells=False,
    ),
    "learning-rate": Part(
        title="What the learning-rate range test suggests",
        script="learning_rate.py",
        full=("--data", "{data}"),
        quick=("--data", "{data}", "--rows", "wine", "--epochs", "1"),
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts; 1 where one of them failed."""
    given = _parser().parse_args(arguments)
    quick, names = given.parts
    folder = RESULTS / "quick" if quick else RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    failed = []
    for name in names:
        print(f"\n== {name}: {PARTS[name].title}", flush=True)
        document = run(PARTS[name], folder / f"{name}.json", given.data, given.tables, quick=quick)
        print(document["printed"], flush=True)
        print(f"({document['seconds']:.0f} s, {document['cpu_seconds']:.0f} s CPU)", flush=True)
        if document["code"]:
            failed.append(name)
    print(f"\n{sentence(machine())}")
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def run(part: Part, path: Path, data: Path, tables: Path, *, quick: bool) -> dict[str, Any]:
    """Run one part, and write what it found to `path`."""
    figures = path.with_suffix(".figures")
    given = [a.format(data=data, tables=tables) for a in (part.quick if quick else part.full)]
    command = [sys.executable, str(HERE / part.script), *given]
    began, cpu = time.monotonic(), _children_cpu()
    done = subprocess.run(
        [*command, "--json", str(figures)] if part.tells else command, stdout=subprocess.PIPE, text=True, check=False
    )
    document = {
        "title": part.title,
        "command": " ".join(["python", f"benchmarks/{part.script}", *_shown(given, data, tables)]),
        "code": done.returncode,
        "seconds": time.monotonic() - began,
        "cpu_seconds": _children_cpu() - cpu,
        "machine": machine(),
        "printed": done.stdout.strip("\n"),
        "figures": json.loads(figures.read_text()) if figures.is_file() else None,
    }
    figures.unlink(missing_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return document


def _shown(arguments: Sequence[str], data: Path, tables: Path) -> list[str]:
    """Arguments without the folders of this machine."""
    return [a.replace(str(tables), "TABLES").replace(str(data), "FOLDER") for a in arguments]


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def parts(text: str) -> tuple[bool, list[str]]:
    """Whether to be quick, and the parts: "all", "quick", "quick,grid", "grid,memory"."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    quick = "quick" in words
    names = [word for word in words if word not in ("quick", "all")]
    for name in names:
        if name not in PARTS:
            raise argparse.ArgumentTypeError(f"no such part: {name}. There are quick, all, {', '.join(PARTS)}.")
    return quick, names or list(PARTS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    folder: Callable[[str], Path] = lambda text: Path(text).resolve()
    parser.add_argument("--parts", type=parts, default=parts("all"), metavar="A,B", help="which, and whether quick")
    parser.add_argument("--data", type=folder, default=folder("../shared/data"), metavar="FOLDER")
    parser.add_argument("--tables", type=folder, default=folder("../shared/benchmarks"), metavar="FOLDER")
    return parser


if __name__ == "__main__":
    sys.exit(main())
