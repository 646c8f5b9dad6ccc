"""Studies that were written for TensorBoard."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialed.observe.tensorboard.records import FILE, messages, read


@pytest.fixture
def tags():
    """`tags(folder)`: what a run's file holds, as (tag, step, value)."""

    def found(folder: Path) -> list[tuple[str, int, float]]:
        return [
            (value.tag, item.step, value.simple_value) for item in read(folder / FILE) for value in item.summary.value
        ]

    return found


@pytest.fixture
def hparams():
    """`hparams(folder, tag)`: what a run's file holds of the HParams page."""

    def found(folder: Path, field: str):
        metadata = messages().metadata
        tag = {"experiment": metadata.EXPERIMENT_TAG}.get(field, f"_hparams_/{field}")
        values = [v for item in read(folder / FILE) for v in item.summary.value if v.tag == tag]
        contents = [value.metadata.plugin_data.content for value in values]
        return [getattr(messages().plugin.HParamsPluginData.FromString(content), field) for content in contents]

    return found
