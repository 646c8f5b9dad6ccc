"""What a search needs arrives in another process as it was, or the reason says what to change."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pytest

from dialed import Choice
from dialed.clock import SystemClock
from dialed.engine.data import Data
from dialed.engine.jax_worker.parcel import Immovable, Parcel, module_to_copy, read, write
from dialed.store.checkpoints import Checkpoints
from dialed.trial import Objective

IMAGES = np.random.default_rng(0).normal(size=(64, 20, 20)).astype("float32")
LABELS = np.arange(64) % 3


def parcel(hypermodel: Any, data: Data | None = None, **arguments: Any) -> Parcel:
    return Parcel(
        hypermodel=hypermodel,
        arguments=arguments,
        max_parameters=None,
        data=data or Data.of({"image": IMAGES}, LABELS, sample_weight=np.ones(64), cv=4),
        objective=Objective(name="val_loss", direction="min"),
        checkpoints=Checkpoints(Path("artifacts")),
        clock=SystemClock(),
        checkpoint_seconds=30.0,
        compile_cache=False,
        keras={},
        registered={},
    )


def twice(x: int) -> int:
    return 2 * x


def test_folds_weights_domains_and_closures_arrive(tmp_path: Path) -> None:
    offset = 5
    sent = parcel(lambda hp: twice(hp) + offset, batch_size=Choice([8, 16]))
    write(sent, tmp_path)
    got = read(tmp_path)
    assert got.hypermodel(4) == 13
    assert got.arguments == sent.arguments
    for fold in range(4):
        ours, theirs = sent.data.fold(fold), got.data.fold(fold)
        assert np.array_equal(ours.x["image"], theirs.x["image"]) and np.array_equal(ours.y, theirs.y)
        assert np.array_equal(ours.sample_weight, theirs.sample_weight)
        assert np.array_equal(ours.validation[0]["image"], theirs.validation[0]["image"])


def test_large_arrays_are_mapped_not_pickled_and_outlive_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "parcel"
    folder.mkdir()
    write(parcel(twice), folder)
    assert (folder / "0.array").stat().st_size == IMAGES.nbytes
    assert (folder / "parcel.pickle").stat().st_size < IMAGES.nbytes / 4
    got = read(folder)
    shutil.rmtree(folder)
    image = got.data.training.x["image"]  # type: ignore[union-attr, index]
    assert np.array_equal(image, IMAGES)
    assert not image.flags.writeable


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda lock: parcel(lambda hp: lock), r"the build function cannot be sent .* make such objects inside of it"),
        (lambda lock: parcel(twice, callbacks=[lock]), r"the arguments of the search cannot be sent"),
    ],
)
def test_what_cannot_be_pickled_is_named(make: Callable[[Any], Parcel], said: str, tmp_path: Path) -> None:
    with pytest.raises(Immovable, match=said):
        write(make(threading.Lock()), tmp_path)


def test_a_module_that_nobody_else_can_import_is_sent_by_value(tmp_path: Path) -> None:
    file = tmp_path / "homemade.py"
    file.write_text("SEVEN = 7\ndef build(hp):\n    return hp * SEVEN\n")
    spec = importlib.util.spec_from_file_location("homemade", file)
    assert spec is not None and spec.loader is not None
    module = sys.modules["homemade"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    try:
        assert module_to_copy(module.build) is module
        write(parcel(module.build), tmp_path, copied=module)
    finally:
        del sys.modules["homemade"]
    assert read(tmp_path).hypermodel(6) == 42
    assert "homemade" not in cloudpickle.list_registry_pickle_by_value()


def test_installed_modules_are_not_sent_by_value() -> None:
    assert module_to_copy(np.sum) is None
    assert module_to_copy(shutil.copy) is None
