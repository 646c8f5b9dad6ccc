"""Members with callbacks by either engine: the same files, rates, ends and checkpoints."""

from __future__ import annotations

import csv
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import callbacks

from dialed.trial import Cause, State

pytestmark = pytest.mark.slow  # each test compiles programs

FILES, HASTY, BROKEN, BOARD = 10, 11, 12, 13
"""Trials that are trained by both engines."""


@dataclass
class Summaries:
    """Stands for `tensorflow.summary`, which needs packages that Dialed does not: notes what is written where."""

    written: list[tuple[str, str, int, float]] = field(default_factory=list)
    where: str = ""

    def create_file_writer(self, folder: str) -> Any:
        return Writer(self, Path(folder).name)

    def scalar(self, name: str, value: Any, step: Any) -> None:
        if self.where:
            self.written.append((self.where, name, int(np.asarray(step)), float(value)))

    def histogram(self, name: str, data: Any, step: int) -> None:
        self.scalar(name, np.linalg.norm(data), step)


@dataclass
class Writer:
    """One folder of summaries."""

    summaries: Summaries
    name: str

    @contextmanager
    def as_default(self) -> Any:
        self.summaries.where = self.name
        yield
        self.summaries.where = ""

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        self.summaries.written.append((self.name, "closed", 0, 0.0))


def board(summaries: Summaries) -> Any:
    made = callbacks.TensorBoard("logs", histogram_freq=2, write_graph=False)
    made._summary_module = summaries
    return made


def writing(folder: Path) -> list[Any]:
    return [
        callbacks.CSVLogger(str(folder / "log.csv")),
        callbacks.ReduceLROnPlateau("val_accuracy", patience=1, factor=0.5, min_delta=1.0),
        callbacks.ModelCheckpoint(str(folder / "best.keras"), save_best_only=True),
        callbacks.ModelCheckpoint(str(folder / "{epoch}.weights.h5"), save_weights_only=True),
        callbacks.EarlyStopping("val_loss", patience=9, restore_best_weights=True),
        callbacks.LambdaCallback(on_train_end=lambda logs: None),
    ]


@pytest.fixture(scope="module")
def both(search, tmp_path_factory):
    """The same members by either engine, and the folders that their callbacks wrote to."""
    told, folders, summaries = {}, {}, {"fit": Summaries(), "fused": Summaries()}
    for name, engine in (("fit", search.fit), ("fused", search.fused)):
        folders[name] = folder = tmp_path_factory.mktemp(name)
        search.given[FILES] = lambda folder=folder: writing(folder)
        search.given[HASTY] = lambda: [search.stopping("begin", 1)]
        search.given[BROKEN] = lambda: [callbacks.TerminateOnNaN()]
        search.given[BOARD] = lambda name=name: [board(summaries[name])]
        told[name] = search.train(
            engine,
            [
                search.member(FILES),
                search.member(HASTY, rate=0.3),
                search.member(BROKEN, lr=1e30),
                search.member(BOARD),
            ],
        )
    search.given.clear()
    assert all(engine.startswith("fused-") for engine in told["fused"].engines.values())
    return told, folders, summaries


def test_logs_are_written_as_in_fit(both):
    _, folders, _ = both
    texts = {name: (folder / "log.csv").read_text() for name, folder in folders.items()}
    rows = {name: list(csv.DictReader(text.splitlines())) for name, text in texts.items()}
    assert len(rows["fit"]) == 4
    for one, other in zip(rows["fit"], rows["fused"], strict=True):
        assert list(one) == list(other)
        assert {k: float(v) for k, v in other.items()} == pytest.approx({k: float(v) for k, v in one.items()}, rel=1e-5)


def test_a_rate_that_falls_is_reported_as_in_fit(both):
    told, _, _ = both
    rates = [[metrics["learning_rate"] for metrics in told[name].of(FILES)] for name in ("fit", "fused")]
    assert rates[0] == rates[1]
    assert len(set(rates[0])) > 2


def test_models_are_saved_as_in_fit(both):
    _, folders, _ = both
    files = [sorted(path.name for path in folder.iterdir()) for folder in folders.values()]
    assert files[0] == files[1]
    assert {"best.keras", "4.weights.h5"} <= set(files[0])
    one, other = (keras.models.load_model(folder / "best.keras") for folder in folders.values())
    assert one.get_config() == other.get_config()
    for a, b in zip(
        [*one.weights, *one.optimizer.variables], [*other.weights, *other.optimizer.variables], strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    one.load_weights(folders["fit"] / "3.weights.h5")
    other.load_weights(folders["fused"] / "3.weights.h5")
    for a, b in zip(one.weights, other.weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_a_board_is_written_as_in_fit(search, both):
    told, _, summaries = both
    one, other = summaries["fit"].written, summaries["fused"].written
    assert [entry[:3] for entry in one] == [entry[:3] for entry in other]
    np.testing.assert_allclose([entry[3] for entry in other], [entry[3] for entry in one], rtol=1e-4)
    assert {("validation", "evaluation_loss_vs_iterations", 12), ("train", "epoch_learning_rate", 3)} <= {
        entry[:3] for entry in one
    }
    metas = [search.checkpoints.load(told[name].outcomes[BOARD].last)[1] for name in ("fit", "fused")]
    counts = [
        {name: state[name] for name in ("_global_train_batch", "_global_test_batch", "_should_write_train_graph")}
        for ((_, state),) in (meta["callbacks"] for meta in metas)
    ]
    assert counts[0] == counts[1]


def test_a_training_stopped_before_an_epoch_has_one_batch_of_it(both):
    told, _, _ = both
    fit, fused = (told[name].outcomes[HASTY] for name in ("fit", "fused"))
    assert (fused.state, fused.epoch) == (fit.state, fit.epoch) == (State.COMPLETED, 2)
    for one, other in zip(told["fit"].of(HASTY), told["fused"].of(HASTY), strict=True):
        assert other == pytest.approx(one, rel=1e-5)


def test_a_loss_that_is_no_number_fails_as_in_fit(both):
    told, _, _ = both
    fit, fused = (told[name].outcomes[BROKEN] for name in ("fit", "fused"))
    assert (fused.state, fused.cause, fused.epoch) == (fit.state, fit.cause, fit.epoch)
    assert fused.cause is Cause.NAN
    assert fused.message == fit.message


@pytest.mark.slow
def test_either_engine_goes_on_with_the_callbacks_of_the_other(search, both):
    """Waits, best values and best weights are in the checkpoints; four epochs in two halves are as in one."""
    search.given[20] = lambda: [
        callbacks.EarlyStopping("val_loss", patience=2, min_delta=9.0, restore_best_weights=True),
        search.stopping("end", 9),
    ]
    whole = search.train(search.fused, [search.member(20)]).outcomes[20]
    assert (whole.state, whole.epoch) == (State.COMPLETED, 3), "it waits for two epochs after its first"
    for first, second in ((search.fused, search.fit), (search.fit, search.fused)):
        half = search.train(first, [search.member(20)], until=2).outcomes[20]
        assert half.state is State.PAUSED
        rest = search.train(second, [replace(search.member(20), epoch=2, checkpoint=half.last)]).outcomes[20]
        assert (rest.state, rest.epoch) == (State.COMPLETED, 3)
        (one, meta), (other, meta_of_rest) = (search.checkpoints.load(outcome.last) for outcome in (whole, rest))
        assert one.keys() == other.keys()
        assert "callback/0/best_weights/0" in one
        for name, array in one.items():
            np.testing.assert_allclose(other[name], array, rtol=1e-4, atol=1e-6, err_msg=name)
        names = [{name: type(value) for name, value in state.items()} for _, state in meta["callbacks"]]
        assert names == [{name: type(value) for name, value in state.items()} for _, state in meta_of_rest["callbacks"]]
