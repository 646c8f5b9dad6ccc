"""Scores of one fitted estimator on one split, with scikit-learn's rules for errors and its lines of text."""

from __future__ import annotations

import time
import traceback
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import FitFailedWarning
from sklearn.utils import _safe_indexing

__all__ = ["Judge", "Row", "fill_errors", "tell_failures"]

Row = dict[str, Any]
"""What one split says of one candidate, under the names that scikit-learn's searches collect."""

_RULE = "-" * 80 + "\n"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judge:
    """Scores candidates.

    Args:
        scorer: A callable of (estimator, X, y) that returns a number or a dict of them.
        names: Of the scores, where they are known beforehand to be several; else `None`.
        X, y: All data.
        splits: The rows of each split.
        score_params: Passed to the scorer; those with one entry a sample are cut.
        error_score: "raise", or what a failed split scores.
        return_train_score: Whether the training part is scored too.
        verbose: From 2 on, a line is printed for each split.
    """

    scorer: Any
    names: Sequence[str] | None
    X: Any
    y: Any
    splits: Sequence[tuple[np.ndarray, np.ndarray]]
    score_params: Mapping[str, Any]
    error_score: Any
    return_train_score: bool
    verbose: int

    def row(self, estimator: Any, fold: int, params: Mapping[str, Any], seconds: float) -> Row:
        """The row of a fitted estimator whose training took `seconds`."""
        train, test = self.splits[fold]
        start = time.perf_counter()
        scores = self._scores(estimator, test)
        row: Row = {
            "fit_error": None,
            "test_scores": scores,
            "fit_time": seconds,
            "score_time": time.perf_counter() - start,
            "n_test_samples": len(test),
        }
        if self.return_train_score:
            row["train_scores"] = self._scores(estimator, train)
        self._print(fold, params, row)
        return row

    def failed(self, fold: int, params: Mapping[str, Any], error: Exception, seconds: float) -> Row:
        """The row of an estimator that could not be fitted.

        Raises:
            Exception: `error` itself, where `error_score` is "raise".
        """
        if isinstance(self.error_score, str):
            raise error
        names = self.names
        scores = self.error_score if names is None else dict.fromkeys(names, self.error_score)
        row: Row = {
            "fit_error": "".join(traceback.format_exception(error)),
            "test_scores": scores,
            "fit_time": seconds,
            "score_time": 0.0,
            "n_test_samples": len(self.splits[fold][1]),
        }
        if self.return_train_score:
            row["train_scores"] = scores if names is None else dict(scores)
        self._print(fold, params, row)
        return row

    def _scores(self, estimator: Any, rows: np.ndarray) -> Any:
        samples = len(self.splits[0][0]) + len(self.splits[0][1])
        given = {
            name: _safe_indexing(value, rows) if np.ndim(value) and len(value) == samples else value
            for name, value in self.score_params.items()
        }
        targets = () if self.y is None else (_safe_indexing(self.y, rows),)
        try:
            return _plain(self.scorer(estimator, _safe_indexing(self.X, rows), *targets, **given))
        except Exception as error:
            if isinstance(self.error_score, str) or self.names is not None:
                raise
            warnings.warn(
                f"Scoring failed. The score on this train-test partition for these parameters will be set to "
                f"{self.error_score}. Details: \n{''.join(traceback.format_exception(error))}",
                UserWarning,
                stacklevel=2,
            )
            return self.error_score

    def _print(self, fold: int, params: Mapping[str, Any], row: Row) -> None:
        if self.verbose < 2:
            return
        place = f" {fold + 1}/{len(self.splits)}" if self.verbose > 2 else ""
        shown = ", ".join(f"{name}={params[name]}" for name in sorted(params))
        told = f"{shown};{self._shown(row) if self.verbose > 2 else ''}"
        told += f" total time={row['fit_time'] + row['score_time']:6.1f}s"
        head = f"[CV{place}] END "
        print(head + "." * max(0, 80 - len(head) - len(told)) + told)

    def _shown(self, row: Row) -> str:
        scores = row["test_scores"]
        if not isinstance(scores, dict):
            part = f"train={row['train_scores']:.3f}, test={scores:.3f}" if self.return_train_score else ""
            return f" score=({part})" if part else f" score={scores:.3f}"
        train = row.get("train_scores", {})
        parts = [f"{f'train={train[n]:.3f}, ' if n in train else ''}test={scores[n]:.3f}" for n in sorted(scores)]
        return "".join(f" {name}: ({part})" for name, part in zip(sorted(scores), parts, strict=True))


def tell_failures(rows: Sequence[Row], error_score: Any) -> None:
    """Warn of splits whose fit failed.

    Raises:
        ValueError: All of them failed.
    """
    errors = [row["fit_error"] for row in rows if row["fit_error"] is not None]
    if not errors:
        return
    details = "\n".join(
        f"{_RULE}{count} fits failed with the following error:\n{error}" for error, count in Counter(errors).items()
    )
    if len(errors) == len(rows):
        raise ValueError(
            f"\nAll the {len(rows)} fits failed.\nIt is very likely that your model is misconfigured.\nYou can try to "
            f"debug the error by setting error_score='raise'.\n\nBelow are more details about the failures:\n{details}"
        )
    warnings.warn(
        f"\n{len(errors)} fits failed out of a total of {len(rows)}.\nThe score on these train-test partitions for these "
        f"parameters will be set to {error_score}.\nIf these failures are not expected, you can try to debug them by "
        f"setting error_score='raise'.\n\nBelow are more details about the failures:\n{details}",
        FitFailedWarning,
        stacklevel=2,
    )


def fill_errors(rows: Sequence[Row], error_score: Any) -> None:
    """Give failed splits a score of each name, where a callable `scoring` returned several for the others."""
    known = next((row["test_scores"] for row in rows if row["fit_error"] is None), None)
    if not isinstance(known, dict):
        return
    for row in rows:
        if row["fit_error"] is not None:
            for key in ("test_scores", "train_scores"):
                if key in row:
                    row[key] = dict.fromkeys(known, error_score)


def _plain(scores: Any) -> Any:
    """Scores as Python numbers.

    Raises:
        ValueError: They are none.
    """
    if isinstance(scores, dict):
        return {name: _number(value) for name, value in scores.items()}
    return _number(scores)


def _number(score: Any) -> float:
    value = score.item() if hasattr(score, "item") else score
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(  # noqa: TRY004 - scikit-learn raises it
            f"scoring must return a number, got {score!s} ({type(score)}) instead."
        )
    return value
