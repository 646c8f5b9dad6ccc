"""Tables as text and HTML."""

import builtins

import pytest

from dialed.analysis.table import Table, frame_of, page
from dialed.errors import MissingDependencyError

TABLE = Table(head=("name", "share"), rows=(("<lr>", "59 %"), ("units", "8 %")), align="lr")


def test_columns_line_up():
    assert TABLE.text() == "  name   share\n  <lr>    59 %\n  units    8 %"


def test_html_is_escaped():
    shown = page("A & B", ["one < two", TABLE, ""])
    assert "A &amp; B" in shown and "one &lt; two" in shown and "&lt;lr&gt;" in shown and "<p></p>" not in shown


def test_a_frame_without_pandas_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without_pandas(name, *args, **kwargs):
        if name == "pandas":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_pandas)
    with pytest.raises(MissingDependencyError, match=r"`to_pandas` needs pandas.*pip install 'dialed\[pandas\]'"):
        frame_of([], ["a"])
