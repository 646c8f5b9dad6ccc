"""Results go to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys

import pytest

from dialed.cli.output import finite, note, plain_output, print_json


def test_json_has_null_for_what_is_not_finite(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"score": float("nan"), "list": (1.5, float("inf")), 3: "ü"})
    said = capsys.readouterr().out
    assert json.loads(said) == {"score": None, "list": [1.5, None], "3": "ü"} and "ü" in said


def test_what_is_finite_stays_as_it_is() -> None:
    assert finite({"a": [True, 1, 2.0, None, "x"]}) == {"a": [True, 1, 2.0, None, "x"]}


def test_what_user_code_prints_does_not_end_up_in_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    with plain_output(only_json=True):
        print("from a build function")
    print("the document")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("the document\n", "from a build function\n")


def test_standard_output_is_given_back_after_an_error() -> None:
    before = sys.stdout
    with pytest.raises(ValueError, match="x"), plain_output(only_json=True):
        raise ValueError("x")
    assert sys.stdout is before


def test_without_json_all_is_printed_where_it_belongs(capsys: pytest.CaptureFixture[str]) -> None:
    with plain_output(only_json=False):
        print("progress")
    note("a note")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("progress\n", "a note\n")
