import pytest

from dialed.errors import InvalidInputError
from dialed.study.executors import parse_bytes, workforce_of


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        (("auto", 1, None, None), "inline"),
        (("auto", 2, None, None), "processes"),
        (("auto", 1, "10m", None), "processes"),
        (("auto", 1, None, "4GB"), "processes"),
        (("inline", 1, 60, None), "inline"),
        (("processes", 1, None, None), "processes"),
        (("auto", 0, None, None), "elsewhere"),
    ],
)
def test_auto_takes_processes_where_only_a_process_can_keep_to_what_is_asked(asked, kind):
    assert workforce_of(*asked).kind == kind


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("threads", 1, None, None), r"The `executor` must be 'auto', 'inline', 'processes', 'ray'.* Got 'threads'"),
        (("auto", -1, None, None), r"The `workers` must be an int in the range \[0, inf\)\. Got -1"),
        (("auto", True, None, None), r"The `workers` must be an int .* Got True"),
        (("auto", 2, "soon", None), r"The `max_trial_time` must be a positive number of seconds"),
        (("auto", 2, None, "much"), r"The `worker_memory` must be a positive number of bytes.* Got 'much'"),
        (("auto", 2, None, -1), r"The `worker_memory` must be a positive number of bytes.* Got -1"),
        (("inline", 2, None, None), r"The executor 'inline' trains in this process.* Got workers=2 with it"),
        (("inline", 1, None, "1GB"), r"The executor 'inline' trains in this process.* Got worker_memory='1GB'"),
    ],
)
def test_what_cannot_be_meant_is_refused(asked, message):
    with pytest.raises(InvalidInputError, match=message):
        workforce_of(*asked)


@pytest.mark.parametrize(
    ("text", "size"), [("4GB", 4 * 10**9), ("1.5 g", 1.5e9), ("500mb", 5 * 10**8), (1000, 1000), (None, None)]
)
def test_sizes_are_read(text, size):
    assert parse_bytes(text) == size
