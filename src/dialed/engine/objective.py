"""The objective: which metric a study improves, and which way is better."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

from dialed.errors import ObjectiveError
from dialed.objectives import MEASURED, NUMBERED, Constraint, differing, metric_key
from dialed.trial import Direction, Objective

__all__ = ["check_constraints", "direction_of", "metric_key", "resolve_objective", "resolve_objectives"]

_VALIDATION = "val_"
_NEGATED = ("neg_", "negative_")
_UP_OR_DOWN: dict[str, Direction] = {"up": "max", "down": "min"}

# The names that Keras gives to its own metrics and losses in the logs, and their short forms. Left out on purpose:
# "dice" and "tversky", which are losses in Keras and scores of segmentation everywhere else.
_LARGER_IS_BETTER = """
    acc accuracy binary_accuracy categorical_accuracy sparse_categorical_accuracy top_k_categorical_accuracy
    sparse_top_k_categorical_accuracy
    auc precision recall precision_at_recall recall_at_precision sensitivity_at_specificity specificity_at_sensitivity
    true_positives true_negatives f1_score fbeta_score f_beta_score
    io_u iou binary_io_u mean_io_u mean_iou one_hot_io_u one_hot_mean_io_u
    r2_score cosine_similarity concordance_correlation pearson_correlation
"""
_SMALLER_IS_BETTER = """
    loss ce crossentropy binary_crossentropy categorical_crossentropy sparse_categorical_crossentropy
    binary_focal_crossentropy categorical_focal_crossentropy bce
    kl_divergence kullback_leibler_divergence kld poisson
    mse mae mape msle rmse mean_squared_error root_mean_squared_error mean_absolute_error
    mean_absolute_percentage_error mean_squared_logarithmic_error log_cosh log_cosh_error logcosh huber error error_rate
    hinge squared_hinge categorical_hinge false_positives false_negatives circle ctc perplexity
"""
_DIRECTIONS: dict[str, Direction] = {
    **dict.fromkeys(_LARGER_IS_BETTER.split(), "max"),
    **dict.fromkeys(_SMALLER_IS_BETTER.split(), "min"),
}
_LONGEST_FIRST = sorted(_DIRECTIONS, key=len, reverse=True)


def direction_of(name: str, metrics: Iterable[object] = ()) -> Direction | None:
    """Which way is better for the metric `name`.

    Args:
        name: As in the logs of `fit`: with "val_", the name of an output before it, or a number behind it.
        metrics: The model's metric objects; what they say of themselves goes before their names. Defaults to none.

    Returns:
        "min", "max", or `None` where nobody knows.

    Example:
        >>> direction_of("val_loss"), direction_of("val_digits_auc_1"), direction_of("joy")
        ('min', 'max', None)
    """
    base = name.removeprefix(_VALIDATION)
    for metric in metrics:
        own = str(getattr(metric, "name", ""))
        if own and (base == own or base.endswith(f"_{own}")):
            known = _UP_OR_DOWN.get(str(getattr(metric, "_direction", "")))
            if known is not None:
                return known
    negated = next((prefix for prefix in _NEGATED if base.startswith(prefix)), "")
    found = _by_name(base.removeprefix(negated)) or _by_name(NUMBERED.sub("", base.removeprefix(negated)))
    if negated and found is not None:
        return "max" if found == "min" else "min"
    return found


def resolve_objective(
    objective: Any,
    metric_names: Sequence[str] | None,
    *,
    has_validation: bool,
    metrics: Iterable[object] = (),
) -> Objective:
    """The objective of a study, checked against what the model measures.

    Args:
        objective: The name of a metric, a `dialed.Objective`, any object with a `name` and a `direction` (such as
            KerasTuner's), or `None` for "val_loss".
        metric_names: What the model measures in training, such as ["loss", "accuracy"]; those with "val_" follow
            from them. `None` where that is not known.
        has_validation: Whether there is validation data, a validation split or cross-validation.
        metrics: The model's metric objects, asked for their direction. Defaults to none.

    Raises:
        ObjectiveError: No such metric, no validation data for it, or nobody knows which way is better.
    """
    if objective is None and not has_validation:
        raise ObjectiveError(
            "`objective` must be judged by data that a trial does not train on, or the search would reward "
            "overfitting. Got no objective and no validation data. Pass `validation_data`, `validation_split` or `cv`, "
            "or `objective='loss'` if the training loss is what you want."
        )
    name, direction = _name_and_direction("val_loss" if objective is None else objective)
    if name.startswith(_VALIDATION) and not has_validation:
        raise ObjectiveError(
            f"`objective` must be a metric of the training data where there is no validation data. Got '{name}'. Pass "
            "`validation_data`, `validation_split` or `cv`."
        )
    if metric_names is not None:
        _check_measured(name, _all_names(metric_names, has_validation=has_validation))
    known = direction or direction_of(name, metrics)
    if known is None:
        raise ObjectiveError(
            f"`objective` must say which way is better where the metric is not one of Keras's own. Got '{name}'. Pass "
            f'`dialed.Objective(name="{name}", direction="max")`, or "min".'
        )
    return Objective(name=name, direction=known)


def resolve_objectives(
    objective: Any,
    metric_names: Sequence[str] | None,
    *,
    has_validation: bool,
    metrics: Iterable[object] = (),
) -> tuple[Objective, ...]:
    """The objectives of a study: of one alone, or of each in a list. The arguments are those of `resolve_objective`.

    All but the first may be what Dialed measures itself ("parameters", "latency", "seconds", "memory"), where less is better
    unless a direction is given.

    Raises:
        ObjectiveError: As `resolve_objective`; or the list is empty, or the first has no value after each epoch.
        InvalidInputError: Two are the same metric.
    """
    if not isinstance(objective, (list, tuple)):
        objective = (objective,)
    if not objective:
        raise ObjectiveError("`objective` must name at least one metric. Got an empty list.")
    found = []
    for place, each in enumerate(objective):
        name = each if isinstance(each, str) else getattr(each, "name", None)
        own = metric_names is not None and metric_key(str(name), metric_names) is not None
        if name in MEASURED and not own and place == 0:
            raise ObjectiveError(
                "The first `objective` must be a metric with a value after each epoch, for it chooses the epoch that "
                f"counts. Got '{name}'. Name a metric before it, such as ['val_loss', '{name}'], or make it a constraint."
            )
        if name in MEASURED and not own:
            _, direction = _name_and_direction(each)
            found.append(Objective(str(name), direction or "min"))
        else:
            found.append(resolve_objective(each, metric_names, has_validation=has_validation, metrics=metrics))
    differing(found)
    return tuple(found)


def check_constraints(
    constraints: Iterable[Constraint], metric_names: Sequence[str] | None, *, has_validation: bool
) -> None:
    """Raise `ObjectiveError` where something is constrained that nobody measures."""
    for constraint in constraints:
        if metric_names is not None and constraint.name not in MEASURED:
            known = [*_all_names(metric_names, has_validation=has_validation), *MEASURED]
            _check_measured(constraint.name, known, what="constraints")


def _by_name(base: str) -> Direction | None:
    if base in _DIRECTIONS:
        return _DIRECTIONS[base]
    return next((_DIRECTIONS[name] for name in _LONGEST_FIRST if base.endswith(f"_{name}")), None)


def _name_and_direction(objective: Any) -> tuple[str, Direction | None]:
    if isinstance(objective, str) and objective:
        return objective, None
    name, direction = getattr(objective, "name", None), getattr(objective, "direction", None)
    if not isinstance(name, str) or not name or hasattr(objective, "objectives"):
        raise ObjectiveError(
            "`objective` must be the name of one metric or a `dialed.Objective`. Got "
            f"{objective!r:.80} ({type(objective).__name__}). Pass 'val_loss' or 'val_accuracy', for example."
        )
    if direction not in ("min", "max"):
        raise ObjectiveError(
            f"The `direction` of the `objective` must be 'min' or 'max'. Got {direction!r} for '{name}'. Pass "
            f'`dialed.Objective(name="{name}", direction="max")`, or "min".'
        )
    return name, direction


def _all_names(metric_names: Sequence[str], *, has_validation: bool) -> list[str]:
    training = [n for n in metric_names if not n.startswith(_VALIDATION)]
    if not has_validation:
        return training
    validated = [f"{_VALIDATION}{n}" for n in training]
    return list(dict.fromkeys([*training, *validated, *metric_names]))


def _check_measured(name: str, known: list[str], *, what: str = "objective") -> None:
    if metric_key(name, known) is not None:
        return
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean '{near[0]}'?" if near else "Pass the metric to `model.compile(metrics=[...])`."
    shown = ", ".join(f"'{n}'" for n in known)
    must = "be one of" if what == "objective" else "name one of"
    raise ObjectiveError(f"`{what}` must {must} {shown}. Got '{name}'. {hint}")
