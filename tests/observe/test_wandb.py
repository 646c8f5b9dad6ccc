"""A search in Weights & Biases without a network, read back from its files."""

import json
import struct
import sys

import pytest

import dialed
from dialed.errors import MissingDependencyError
from dialed.trackers import WandB


def train(hp):
    rate = hp.Float("rate", 0.0, 1.0)
    if rate > 0.95:
        raise ValueError("bad")
    for epoch in (1, 2):
        hp.report(epoch, {"loss": rate * (3 - epoch), "odd": float("nan")})


def search(folder, trials):
    return dialed.optimize(
        train, objective="loss", epochs=2, max_trials=trials, strategy="random", seed=0, name="my net",
        observers=[WandB(folder=folder)], store=str(folder / "store.db"), verbose=0,
    )  # fmt: skip


def records(path):
    """The records of an offline run's file: a log in LevelDB's format behind seven bytes, in blocks of 32 KiB."""
    from wandb.proto import wandb_internal_pb2

    data, place, body = path.read_bytes(), 7, b""
    assert data[:4] == b":W&B"
    while place + 7 <= len(data):
        left = 32768 - place % 32768
        if left < 7:  # no header fits into the rest of a block
            place += left
            continue
        length, kind = struct.unpack_from("<HB", data, place + 4)
        body += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # a whole record, or the last part of one
            yield wandb_internal_pb2.Record.FromString(body)
            body = b""


def read(folder):
    """Each run by its name: group, values, and the points of its history."""
    runs = {}
    for path in sorted((folder / "wandb").glob("offline-run-*/*.wandb")):
        run, points = None, []
        for record in records(path):
            if record.HasField("run") and run is None:
                run = record.run
            if record.HasField("history"):
                items = {
                    item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in record.history.item
                }
                points.append(items)
        values = {item.key: json.loads(item.value_json) for item in run.config.update}
        runs.setdefault(run.display_name, []).append((run.run_group, values, points))
    return runs


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_each_member_is_a_run_of_its_study_and_none_is_written_twice(tmp_path):
    search(tmp_path, 1)
    study = search(tmp_path, 2)
    runs = read(tmp_path)
    assert sorted(runs) == ["trial-0000", "trial-0001"]
    for trial in study.trials:
        ((group, values, points),) = runs[f"trial-{trial.number:04d}"]
        assert group == "my net"
        assert values["rate"] == pytest.approx(trial.values["rate"])
        if trial.score is not None:
            assert [(p["_step"], p["loss"]) for p in points] == [(1, 2 * trial.score), (2, trial.score)]
            assert points[-1]["score"] == pytest.approx(trial.score)
            assert "odd" not in points[-1]
    assert "tensorflow" not in sys.modules


def test_without_wandb_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "dialed\[wandb\]"'):
        WandB()
