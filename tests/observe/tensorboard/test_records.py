"""Event files hold whole records, and lose none."""

import pytest

from dialed.errors import MissingDependencyError
from dialed.observe.tensorboard import records
from dialed.observe.tensorboard.records import append, event, image, read, replace_with, scalar


def test_what_is_appended_is_read(tmp_path):
    file = tmp_path / "events"
    append(file, [event(1.0, [scalar("loss", 0.5)], 1)], time=0.0)
    append(file, [event(2.0, [scalar("loss", 0.25)], 2)], time=2.0)
    version, *rest = read(file)
    assert version.file_version == "brain.Event:2"
    assert [(e.step, e.summary.value[0].simple_value, e.wall_time) for e in rest] == [(1, 0.5, 1.0), (2, 0.25, 2.0)]


@pytest.mark.parametrize("cut", [1, 5, 13, 20])
def test_half_a_record_is_cut_off_and_the_file_goes_on(tmp_path, cut):
    file = tmp_path / "events"
    append(file, [event(1.0, [scalar("loss", 0.5)], 1)], time=0.0)
    whole = file.read_bytes()
    append(file, [event(2.0, [scalar("loss", 0.25)], 2)], time=0.0)
    file.write_bytes(file.read_bytes()[: len(whole) + cut])
    assert len(read(file)) == 2
    assert file.read_bytes() == whole


def test_damaged_bytes_are_no_record(tmp_path):
    file = tmp_path / "events"
    append(file, [event(1.0, [scalar("loss", 0.5)], 1)], time=0.0)
    data = bytearray(file.read_bytes())
    data[-8] ^= 255
    file.write_bytes(data)
    assert len(read(file)) == 1


def test_a_file_can_be_replaced(tmp_path):
    file = tmp_path / "events"
    for value in (1.0, 2.0):
        replace_with(file, [event(0.0, [scalar("x", value)])], time=0.0)
    assert [item.summary.value[0].simple_value for item in read(file)[1:]] == [2.0]
    assert [path.name for path in tmp_path.iterdir()] == ["events"]


def test_tensorboards_own_reader_agrees(tmp_path):
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader

    file = tmp_path / "events.tfevents"
    append(file, [event(1.0, [scalar("loss", 0.5)], 7)], time=0.0)
    assert len(list(RawEventFileLoader(str(file)).Load())) == 2


def test_a_picture_tells_its_size():
    png = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (9).to_bytes(4, "big") + (4).to_bytes(4, "big") + b"rest"
    shown = image("history", png).image
    assert (shown.width, shown.height, shown.encoded_image_string) == (9, 4, png)


def test_without_tensorboard_the_extra_is_named(monkeypatch):
    import sys

    records.messages.cache_clear()
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "dialed\[tensorboard\]"'):
        records.messages()
    records.messages.cache_clear()
