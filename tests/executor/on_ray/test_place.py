"""What a user may say about a cluster."""

from __future__ import annotations

from typing import Any

import pytest

import dialed
from dialed.errors import InvalidInputError
from dialed.study.executors import workforce_of


@pytest.mark.parametrize(
    "given", [{"num_gpus": -0.5}, {"num_cpus": "2"}, {"num_gpus": float("inf")}, {"num_cpus": True}]
)
def test_what_a_worker_asks_for_is_a_number(given: dict[str, Any]) -> None:
    name, value = next(iter(given.items()))
    with pytest.raises(
        InvalidInputError, match=rf"The `{name}` of Ray must be a number in the range \[0, inf\). Got {value!r}"
    ):
        dialed.Ray(**given)


def test_a_cluster_is_named_in_words_by_its_address_or_as_a_value() -> None:
    assert workforce_of("ray", 2, None, None).cluster == dialed.Ray()
    assert workforce_of("ray://head:10001", 2, None, None).cluster == dialed.Ray(address="ray://head:10001")
    own = dialed.Ray(num_gpus=0.5)
    found = workforce_of(own, 4, "10m", None)
    assert (found.kind, found.workers, found.cluster, found.max_trial_seconds) == ("ray", 4, own, 600.0)
    assert found.settings == {"executor": "ray", "workers": 4}


def test_a_limit_on_memory_is_ray_s_own_matter() -> None:
    with pytest.raises(InvalidInputError, match="The `worker_memory` is held by the executor 'processes'.* Got '1GB'"):
        workforce_of("ray", 2, None, "1GB")


def test_an_executor_that_there_is_not_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"'ray', the address of a Ray cluster \(ray://...\).* Got 'dask'"):
        workforce_of("dask", 2, None, None)
