"""The dashboard has an address, and a key that stays."""

from __future__ import annotations

import socket
import stat

import httpx
import pytest

from dialed.errors import InvalidInputError, MissingDependencyError
from dialed.observe.dashboard import serve, serving
from dialed.observe.dashboard.server import key_of_this_user


def test_a_real_server_answers_at_the_address_that_is_told(shared):
    with serving(shared, token="key") as address:
        assert address.endswith("/?token=key")
        answer = httpx.get(address, follow_redirects=True, trust_env=False)
        assert answer.status_code == 200
        assert "Studies" in answer.text
        with httpx.stream("GET", address.replace("/?", "/feed?study=plain&"), trust_env=False) as refused:
            assert refused.status_code == 303


def test_the_key_is_made_once_and_for_this_user_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    key = key_of_this_user()
    assert len(key) >= 32
    assert key_of_this_user() == key
    assert stat.S_IMODE((tmp_path / "dialed" / "dashboard-key").stat().st_mode) == 0o600


def test_a_port_that_is_taken_is_said(shared):
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        pytest.raises(InvalidInputError, match="The `port` must be free"),
    ):
        serve(shared, port=other.getsockname()[1], token="key")


def test_without_a_key_nobody_else_may_come_in(shared):
    with pytest.raises(InvalidInputError, match="A dashboard without a key must listen on this machine only"):
        serve(shared, host="0.0.0.0", token="")


def test_the_extra_is_named(shared, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "uvicorn", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'dialed\[dashboard\]'"):
        serve(shared, token="key")
