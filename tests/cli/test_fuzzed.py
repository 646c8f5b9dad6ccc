"""Whatever the TOML file of a search holds, it is read, or refused in a sentence: never with a traceback."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dialed.cli.load import Loaded
from dialed.cli.request import SearchRequest, read_config
from dialed.cli.searching import arguments_of
from dialed.errors import DialedError

DATA = Loaded(x_train=np.zeros((4, 1)), y_train=np.zeros(4))
OPTIONS = sorted(SearchRequest.__dataclass_fields__.keys() - {"builder", "fit"})
FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(k)} = {written(v)}' for k, v in value.items())}}}"
    return json.dumps(value) if isinstance(value, str) else repr(value)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x7f"), max_size=8)
PLAIN = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | TEXTS
    | st.sampled_from(["5..20", "32,64", "1e400", "auto", "90s", "4GB", "log", ""])
    | st.dates()
    | st.times()
    | st.datetimes(min_value=datetime(1000, 1, 1))
)
RANGES = st.dictionaries(st.sampled_from(["min", "max", "step", "sampling", "default"]), PLAIN, max_size=5)
VALUES = st.recursive(
    PLAIN | RANGES, lambda v: st.lists(v, max_size=3) | st.dictionaries(TEXTS, v, max_size=3), max_leaves=6
)
TABLES = st.fixed_dictionaries(
    {},
    optional={
        "search": st.dictionaries(st.sampled_from(OPTIONS), VALUES, max_size=6),
        "fit": st.dictionaries(
            st.sampled_from(["shuffle", "class_weight", "callbacks", "epochs"]) | TEXTS, VALUES, max_size=4
        ),
    },
)


def take(file: Path) -> None:
    """Read a search as `dialed run` does, up to where a model is built; or be told in a sentence what is wrong."""
    from dialed.study import Tuner

    try:
        request = SearchRequest.of("m.py:build", {}, read_config(file))
        kept = SearchRequest.from_json(json.loads(json.dumps(request.to_json())))
        assert kept == request  # `dialed resume` goes on with the same
        arguments_of(request, DATA)
        made = {
            n: getattr(request, n) for n in ("strategy", "max_trials", "max_epochs", "max_time", "repeats", "workers")
        }
        Tuner(lambda hp: None, max_trial_time=request.max_trial_time, worker_memory=request.worker_memory, **made)
    except DialedError as error:
        assert len(str(error)) > 10


@FEW
@given(content=st.binary(max_size=60) | TEXTS.map(str.encode))
@example(b"\xff\xfe")
@example(b"search = 3")
@example(b"[search]\nepochs = {}")
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    """As people meet them who give the wrong file."""
    file = tmp_path / "search.toml"
    file.write_bytes(content)
    take(file)


@FEW
@given(tables=TABLES)
@example({"search": {"epochs": {"min": 5, "max": 1}}})
@example({"search": {"epochs": []}})
@example({"search": {"batch_size": [[1], {"a": 2}]}})
@example({"search": {"epochs": {"min": "a", "max": "b"}}})
@example({"fit": {"class_weight": {"0": "heavy"}}})
@example({"fit": {"shuffle": date(2020, 1, 1)}})
def test_any_table_is_read_or_refused(tmp_path: Path, tables: dict[str, Any]) -> None:
    """Well-formed TOML with values of any kind where others belong."""
    lines = [
        f"[{name}]\n" + "".join(f"{json.dumps(k)} = {written(v)}\n" for k, v in t.items()) for name, t in tables.items()
    ]
    file = tmp_path / "search.toml"
    file.write_text("\n".join(lines), encoding="utf-8")
    take(file)


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_refuses_what_it_cannot_be(tmp_path: Path, name: str) -> None:
    """A date is none of them."""
    from dialed.errors import InvalidInputError

    file = tmp_path / "search.toml"
    file.write_text(f"[search]\n{name} = 2020-01-01\n")
    with pytest.raises(InvalidInputError, match=name):
        read_config(file)
