import pytest

from dialed.executor.processes.share import Share, deal, devices_here, environment_of


@pytest.mark.parametrize(
    ("workers", "cores", "expected"),
    [
        (1, range(4), [(0, 1, 2, 3)]),
        (2, range(4), [(0, 1), (2, 3)]),
        (3, range(4), [(0,), (1,), (2, 3)]),
        (4, range(2), [(0,), (1,), (0,), (1,)]),
    ],
)
def test_every_core_is_dealt_out_and_none_twice_where_there_are_enough(workers, cores, expected):
    assert [share.cores for share in deal(workers, list(cores))] == expected


def test_each_worker_has_accelerators_of_its_own_where_there_are_enough():
    assert [share.devices for share in deal(2, [0], ["0", "1", "2", "3"])] == [("0", "1"), ("2", "3")]


def test_workers_that_share_an_accelerator_share_its_memory():
    first, *_ = deal(4, [0, 1], ["0", "1"])
    assert first.crowd == 2
    found = environment_of(first, {})
    assert found["CUDA_VISIBLE_DEVICES"] == "0"
    assert found["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.45"


def test_threads_are_as_many_as_cores_unless_the_user_says_otherwise():
    share = Share(cores=(0, 1))
    assert environment_of(share, {})["OMP_NUM_THREADS"] == "2"
    assert environment_of(share, {"OMP_NUM_THREADS": "7"})["OMP_NUM_THREADS"] == "7"
    assert "CUDA_VISIBLE_DEVICES" not in environment_of(share, {})


@pytest.mark.parametrize(
    ("chosen", "expected"), [("0,2", ["0", "2"]), ("", []), ("-1", []), ("GPU-a, GPU-b", ["GPU-a", "GPU-b"])]
)
def test_only_visible_accelerators_are_dealt_out(chosen, expected):
    assert devices_here({"CUDA_VISIBLE_DEVICES": chosen}) == expected
