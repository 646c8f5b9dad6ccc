"""Recorded trainings as search problems: tables of them, and surrogates that were fitted to them.

Reads what lies in a folder, of these: `table_hpolib_fcnet.npz` (FC-Net, Klein and Hutter 2019), `curves_lcbench.npz`
and `curves_taskset.npz` (learning curves of random configurations; a configuration counts as the nearest recorded one),
`yahpo_rbv2_super.npz` and `yahpo_rbv2_svm.npz` (networks fitted to millions of scikit-learn runs; YAHPO Gym).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dialed.space import Choice, Condition, Domain, Float, Hyperparameter, Int, Space
from dialed.trial import Values

Array = NDArray[np.float64]
DRAWS = 4000
"""Random configurations that say what a median one reaches, and a first guess at the best."""


@dataclass(slots=True)
class Task:
    """A loss to minimise. `measure` may be noisy (by the number of the measurement), `truth` is not; NaN is a failure.

    `best` and `median` are the truths of the best known and of the median random configuration.
    """

    name: str
    family: str
    space: Space
    measure: Callable[[Values, int], float]
    truth: Callable[[Sequence[Values]], Array]
    best: float = np.nan
    median: float = np.nan

    def scaled(self) -> Task:
        """The same, with `best` and `median` found by random draws."""
        rng = np.random.default_rng(2020)
        losses = self.truth([self.space.sample(rng) for _ in range(DRAWS)])
        worst_first = np.nan_to_num(losses, nan=np.inf, posinf=np.inf)
        self.best, self.median = float(np.nanmin(worst_first)), float(np.median(worst_first))
        return self

    def regret(self, truth: float) -> float:
        """0 for the best known configuration, 1 for the median random one."""
        return (truth - self.best) / (self.median - self.best)


def tasks(folder: Path, most: int) -> Iterator[Task]:
    """At most `most` tasks of each family that lies in `folder`."""
    readers: Mapping[str, Callable[[Path, int], Iterator[Task]]] = {
        "table_hpolib_fcnet.npz": _fcnet,
        "curves_lcbench.npz": _lcbench,
        "curves_taskset.npz": _taskset,
        "yahpo_rbv2_super.npz": _surrogate,
        "yahpo_rbv2_svm.npz": _surrogate,
    }
    for name, reader in readers.items():
        if (folder / name).exists():
            yield from (task.scaled() for task in reader(folder / name, most))


def _fcnet(path: Path, most: int) -> Iterator[Task]:
    with np.load(path, allow_pickle=False) as archive:
        meta = json.loads(str(archive["meta"]))
        losses = {name: archive[f"{name}/val_loss"] for name in meta["datasets"][:most]}
    space = Space(
        Hyperparameter(name, Choice(values, ordered=meta["kinds"][name] != "cat"))
        for name, values in meta["space"].items()
    )
    places = [{value: i for i, value in enumerate(values)} for values in meta["space"].values()]

    def row(values: Values) -> int:
        index = [place[values[name]] for name, place in zip(meta["space"], places, strict=True)]
        return int(np.ravel_multi_index(index, meta["shape"]))

    for name, table in losses.items():
        yield Task(
            name=f"fcnet {name}",
            family="fcnet",
            space=space,
            measure=lambda values, number, table=table: float(table[row(values), number % 4]),
            truth=lambda configurations, table=table: table[[row(values) for values in configurations]].mean(axis=1),
        )


def _lcbench(path: Path, most: int) -> Iterator[Task]:
    with np.load(path, allow_pickle=False) as archive:
        meta = json.loads(str(archive["meta"]))
        recorded = archive["hp"]
        losses = 100.0 - archive["val_accuracy"][:most, :, -1] / 655.35
    space = Space(Hyperparameter(name, _domain(meta["space"][name])) for name in meta["hp_names"])
    for name, loss in zip(meta["instances"], losses, strict=False):
        yield _nearest(f"lcbench {name}", "lcbench", space, recorded, loss)


def _taskset(path: Path, most: int) -> Iterator[Task]:
    with np.load(path, allow_pickle=False) as archive:
        meta = json.loads(str(archive["meta"]))
        recorded = archive["hp"]
        losses = archive["loss"][:most, :, -1, 1].astype(np.float64)
    ends = zip(meta["hp_names"], recorded.min(axis=0), recorded.max(axis=0), strict=True)
    space = Space(Hyperparameter(name, Float(low, high, sampling="log")) for name, low, high in ends)
    for name, loss in zip(meta["tasks"], losses, strict=False):
        yield _nearest(f"taskset {name[27:]}", "taskset", space, recorded, np.where(np.isfinite(loss), loss, np.nan))


def _nearest(name: str, family: str, space: Space, recorded: Array, losses: Array) -> Task:
    """A task over a list of random configurations: each point counts as the recorded one that is nearest."""
    known = np.array(
        [space.encode({h.name: h.domain.cast(_inside(h.domain, v)) for h, v in zip(space, row)}) for row in recorded]
    )

    def truth(configurations: Sequence[Values]) -> Array:
        units = np.array([space.encode(values) for values in configurations])
        return losses[[int(np.argmin(np.sum((known - unit) ** 2, axis=1))) for unit in units]]

    return Task(
        name=name,
        family=family,
        space=space,
        measure=lambda values, number: float(truth([values])[0]),
        truth=truth,
    )


def _inside(domain: Domain, value: float) -> float:
    assert isinstance(domain, Int | Float)
    clipped = min(max(float(value), domain.min_value), domain.max_value)
    return round(clipped) if isinstance(domain, Int) else clipped


def _surrogate(path: Path, most: int) -> Iterator[Task]:
    network = Network(path)
    family = path.stem.removeprefix("yahpo_")
    for instance in network.meta["instances"][3 : 3 + 7 * most : 7]:
        fixed = {**network.full, network.meta["instance_name"]: instance}

        def truth(configurations: Sequence[Values], fixed: Mapping[str, Any] = fixed) -> Array:
            return network.losses([{**values, **fixed} for values in configurations])

        yield Task(
            name=f"{family} {instance}",
            family=family,
            space=network.space,
            measure=lambda values, number, truth=truth: float(truth([values])[0]),
            truth=truth,
        )


class Network:
    """A surrogate: a small network, stored as a list of operations, that gives the error of a configuration."""

    def __init__(self, path: Path) -> None:
        with np.load(path, allow_pickle=False) as archive:
            self.meta = json.loads(str(archive["meta"]))
            self.constants = {name[2:]: archive[name] for name in archive.files if name.startswith("c/")}
        settings = self.meta["space"]
        self.full = {name: settings[name].get("upper") for name in self.meta["fidelities"]}
        self.target = self.meta["targets"].index("mmce")
        self.space = self._space(
            {k: v for k, v in settings.items() if k not in {*self.full, self.meta["instance_name"]}}
        )

    def _space(self, settings: Mapping[str, Any]) -> Space:
        conditions: dict[str, list[Condition]] = {name: [] for name in settings}
        for condition in self.meta["conditions"]:
            if condition["child"] in conditions:
                conditions[condition["child"]].append(Condition(condition["parent"], tuple(condition["values"])))
        ordered: dict[str, Hyperparameter] = {}
        while len(ordered) < len(settings):
            for name, setting in settings.items():
                if name not in ordered and all(condition.parent in ordered for condition in conditions[name]):
                    ordered[name] = Hyperparameter(name, _domain(setting), tuple(conditions[name]))
        return Space(ordered.values())

    def losses(self, configurations: Sequence[Mapping[str, Any]]) -> Array:
        """The error of each configuration, shape `(count,)`."""
        codes = self.meta["encoding"]
        known: dict[str, Any] = dict(self.constants)
        known["x_cat"] = np.array(
            [[codes[n].get(str(c.get(n, "#na#")), 0) for n in self.meta["cat_names"]] for c in configurations], np.int64
        )
        known["x_cont"] = np.array(
            [[float(c.get(n) or 0.0) for n in self.meta["cont_names"]] for c in configurations], np.float32
        )
        with np.errstate(all="ignore"):
            for operation, inputs, outputs, settings in self.meta["nodes"]:
                known[outputs[0]] = OPERATIONS[operation](settings, *(known[name] if name else None for name in inputs))
        return np.asarray(known[self.meta["outputs"][0]], np.float64)[:, self.target]


def _domain(setting: Mapping[str, Any]) -> Domain:
    if setting["type"] in ("cat", "const"):
        return Choice(setting.get("choices", [setting.get("value")]), ordered=False)
    kind = Int if setting["type"] == "int" else Float
    return kind(setting["lower"], setting["upper"], sampling="log" if setting["log"] else "linear")


def _affine(settings: Mapping[str, Any], x: Any, weights: Any, bias: Any = 0.0) -> Any:
    left = x.T if settings.get("transA") else x
    right = weights.T if settings.get("transB") else weights
    return settings.get("alpha", 1.0) * (left @ right) + settings.get("beta", 1.0) * bias


def _joined(settings: Mapping[str, Any], *parts: Any) -> Any:
    rows = max(len(part) for part in parts)
    if settings["axis"] != 0:
        parts = tuple(np.repeat(part, rows, axis=0) if len(part) < rows else part for part in parts)
    return np.concatenate(parts, axis=settings["axis"])


def _widened(settings: Mapping[str, Any], x: Any, axes: Any = None) -> Any:
    return np.expand_dims(x, tuple(int(axis) for axis in np.ravel(settings["axes"] if axes is None else axes)))


def _selu(settings: Mapping[str, Any], x: Any) -> Any:
    scale, alpha = settings.get("gamma", 1.0507010), settings.get("alpha", 1.6732632)
    return scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _clipped(settings: Mapping[str, Any], x: Any, low: Any = None, high: Any = None) -> Any:
    low, high = settings.get("min", low), settings.get("max", high)
    return x if low is None and high is None else np.clip(x, low, high)


OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "Add": lambda settings, x, y: x + y,
    "Cast": lambda settings, x: x.astype({1: np.float32, 7: np.int64, 11: np.float64}[settings["to"]]),
    "Clip": _clipped,
    "Concat": _joined,
    "ConstantOfShape": lambda settings, shape: np.full(np.ravel(shape), settings.get("value", 0.0), np.float32),
    "Div": lambda settings, x, y: x / y,
    "Exp": lambda settings, x: np.exp(x),
    "Gather": lambda settings, x, index: np.take(x, index, axis=settings.get("axis", 0)),
    "Gemm": _affine,
    "Log": lambda settings, x: np.log(x),
    "Mul": lambda settings, x, y: x * y,
    "Neg": lambda settings, x: -x,
    "Selu": _selu,
    "Shape": lambda settings, x: np.array(x.shape),
    "Sigmoid": lambda settings, x: 1.0 / (1.0 + np.exp(-x)),
    "Sub": lambda settings, x, y: x - y,
    "Unsqueeze": _widened,
}
"""What the surrogates are made of (ONNX operators)."""
