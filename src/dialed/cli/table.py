"""A CSV file as arrays: numbers stay, strings become labels or columns of 0 and 1."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dialed.errors import DataError

__all__ = ["Encoded", "Table", "encode"]

_MISSING = ("", "na", "n/a", "nan", "null", "none", "?")
_DELIMITERS = (",", ";", "\t", "|")
_MOST_CATEGORIES = 100


class Encoded(NamedTuple):
    """`x` of shape (samples, features) in float32, `y` of shape (samples,), and what their columns and labels mean."""

    x: np.ndarray
    y: np.ndarray
    features: tuple[str, ...]
    classes: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The columns of a file, as strings."""

    path: Path
    columns: dict[str, list[str]]

    @classmethod
    def read(cls, path: Path) -> Table:
        """Read `path`: a header, then rows with as many cells; separated by comma, semicolon, tab or bar.

        Raises:
            DataError: It is not such a file.
        """
        try:
            with path.open(newline="", encoding="utf-8-sig") as lines:
                delimiter = _delimiter(lines.readline())
                lines.seek(0)
                rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
                header = [name.strip() for name in next(rows, [])]
                _check_header(path, header)
                return cls(path=path, columns=_columns(path, header, rows))
        except (UnicodeDecodeError, csv.Error) as error:
            raise DataError(f"'{path}' must be a CSV file in UTF-8. Got: {error}. Save it anew as UTF-8.") from error


def encode(table: Table, target: str) -> Encoded:
    """Turn the columns into arrays; `target` becomes `y`.

    Raises:
        DataError: A cell is missing or infinite, or a column of strings is no set of categories.
    """
    y, classes = _encoded_target(table, target)
    blocks, features, notes = [], [], []
    for name, cells in table.columns.items():
        if name == target:
            continue
        numbers = _numbers(table, name)
        if numbers is not None:
            blocks.append(numbers.astype(np.float32)[:, None])
            features.append(name)
        else:
            categories = _categories(table, name)
            blocks.append((np.asarray(cells)[:, None] == np.asarray(categories)[None, :]).astype(np.float32))
            features += [f"{name}={category}" for category in categories]
            notes.append(f"Column '{name}' became {len(categories)} columns of 0 and 1, one for each string.")
    if not blocks:
        raise DataError(f"'{table.path}' must have a column beside the target '{target}'. Got none.")
    if classes:
        notes.append(
            f"Column '{target}' became labels: " + ", ".join(f"{i} = {c}" for i, c in enumerate(classes)) + "."
        )
    return Encoded(np.concatenate(blocks, axis=1), y, tuple(features), classes, tuple(notes))


def _delimiter(header: str) -> str:
    """The separator that the header has most of."""
    return max(_DELIMITERS, key=header.count)


def _check_header(path: Path, header: list[str]) -> None:
    if len(header) < 2:
        raise DataError(f"'{path}' must have a header of at least two columns. Got {header or 'an empty file'}.")
    bad = sorted({name or "(no name)" for name in header if not name or header.count(name) > 1})
    if bad:
        raise DataError(
            f"'{path}' must have a header with a name of its own for each column. Got {', '.join(bad)} empty or twice. "
            "Add or correct the first line."
        )


def _columns(path: Path, header: list[str], rows: Any) -> dict[str, list[str]]:
    cells: list[list[str]] = [[] for _ in header]
    for row in rows:
        if not row:
            continue
        if len(row) != len(header):
            raise DataError(
                f"'{path}' must have {len(header)} cells in each line, as its header has. Got {len(row)} in line "
                f"{rows.line_num}."
            )
        for column, cell in zip(cells, row, strict=True):
            column.append(cell.strip())
    if not cells[0]:
        raise DataError(f"'{path}' must hold samples. Got a header alone.")
    return dict(zip(header, cells, strict=True))


def _numbers(table: Table, name: str) -> np.ndarray | None:
    """The column as float64; `None` where it holds strings.

    Missing cells are refused here, before a column of numbers with one gap is taken for one of strings.
    """
    cells = table.columns[name]
    missing = [i for i, cell in enumerate(cells) if cell.lower() in _MISSING]
    if missing:
        raise DataError(
            f"The columns of '{table.path}' must have no gaps. Got {len(missing):,} missing values in column '{name}', "
            f"the first ({cells[missing[0]]!r}) in sample {missing[0] + 1}. Fill them, or drop those lines or the column."
        )
    if not all(_is_number(cell) for cell in cells):
        return None
    numbers = np.array(cells, dtype=np.float64)
    if not np.isfinite(numbers).all():
        at = int(np.argmin(np.isfinite(numbers)))
        raise DataError(
            f"The columns of '{table.path}' must hold finite numbers. Got {cells[at]} in column '{name}', sample {at + 1}."
        )
    return numbers


def _categories(table: Table, name: str) -> list[str]:
    categories = sorted(set(table.columns[name]))
    if len(categories) > _MOST_CATEGORIES:
        odd = next(cell for cell in table.columns[name] if not _is_number(cell))
        raise DataError(
            f"A column of strings must have at most {_MOST_CATEGORIES} different ones. Got {len(categories):,} in column "
            f"'{name}' of '{table.path}', {odd!r} among them. Drop the column, or turn it into numbers."
        )
    return categories


def _encoded_target(table: Table, target: str) -> tuple[np.ndarray, tuple[str, ...]]:
    numbers = _numbers(table, target)
    if numbers is None:
        classes = _categories(table, target)
        return np.searchsorted(classes, table.columns[target]).astype(np.int64), tuple(classes)
    whole = all(cell.lstrip("+-").isdigit() for cell in table.columns[target])
    return numbers.astype(np.int64 if whole else np.float32), ()


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python reads 1_000 as a number, no other program does
