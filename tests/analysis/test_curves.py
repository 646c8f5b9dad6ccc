"""Curves whose truth is known are called what they are, and noise alone is called nothing."""

import numpy as np
import pytest

from dialed.analysis.curves import Curves, Kind, findings_of, noise_of

EPOCHS = np.arange(30)


def fall(speed, start=2.0, end=0.3):
    return end + (start - end) * np.exp(-EPOCHS / speed)


TRUTHS = {
    Kind.OVERFITTING: (fall(4) + 0.02 * np.maximum(EPOCHS - 10, 0), fall(5, end=0.02)),
    Kind.IMPROVING: (fall(20), fall(20, end=0.25)),
    Kind.PLATEAU: (fall(2), fall(2, end=0.25)),
    Kind.DIVERGED: (2.0 + 0.05 * EPOCHS, 2.0 + 0.06 * EPOCHS),
    Kind.STUCK: (np.full(30, 2.3), np.full(30, 2.3)),
}


def noisy(curve, rng, noise):
    return curve + noise * rng.normal(size=len(curve))


def kinds_of(truth, rng, noise, sign=1.0):
    validation, training = truth
    curves = Curves(validation=noisy(validation, rng, noise), training=noisy(training, rng, noise / 3), sign=sign)
    return [finding.kind for finding in findings_of(curves)]


@pytest.mark.parametrize("kind", list(TRUTHS))
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_known_curves_are_called_what_they_are(kind, noise):
    """Right in at least 19 of 20 draws of the noise, with no other finding about the course."""
    rng = np.random.default_rng(0)
    right = sum(kinds_of(TRUTHS[kind], rng, noise) == [kind] for _ in range(100))
    assert right >= 95


def test_a_flat_curve_of_pure_noise_has_not_learnt():
    rng = np.random.default_rng(1)
    flat = (np.full(30, 2.3), np.full(30, 2.3))
    assert sum(kinds_of(flat, rng, 0.05) == [Kind.STUCK] for _ in range(100)) >= 95


def test_jumps_from_epoch_to_epoch_are_noise():
    rng = np.random.default_rng(2)
    assert sum(Kind.NOISY in kinds_of((fall(8), fall(8)), rng, 0.6) for _ in range(100)) >= 80
    assert sum(Kind.NOISY in kinds_of((fall(3), fall(3)), rng, 0.02) for _ in range(100)) == 0


def test_the_noise_of_a_curve_is_its_standard_deviation_about_its_course():
    rng = np.random.default_rng(3)
    found = [noise_of(noisy(fall(8), rng, 0.05)) for _ in range(200)]
    assert np.mean(found) == pytest.approx(0.05, rel=0.15)


def test_sentences_speak_in_the_users_metric():
    """An accuracy is negated inside and written as it is."""
    validation, training = (-(0.9 - 0.3 * curve) for curve in TRUTHS[Kind.OVERFITTING])
    (finding,) = findings_of(Curves(validation=validation, training=training, sign=-1.0))
    assert finding.kind is Kind.OVERFITTING
    assert (
        "It overfits: after epoch" in finding.sentence and " 0." in finding.sentence and "-0." not in finding.sentence
    )


def test_without_training_metrics_overfitting_is_not_claimed():
    validation, _ = TRUTHS[Kind.OVERFITTING]
    assert Kind.OVERFITTING not in [f.kind for f in findings_of(Curves(validation=validation, training=None))]


def test_a_short_training_has_no_shape():
    assert findings_of(Curves(validation=np.array([3.0, 2.0, 1.0, 1.0]), training=None)) == ()


def test_epochs_without_a_validation_are_left_out():
    validation, training = TRUTHS[Kind.PLATEAU]
    gaps = np.where(EPOCHS % 2 == 0, np.nan, validation)
    assert [f.kind for f in findings_of(Curves(validation=gaps, training=training))] == [Kind.PLATEAU]


def test_the_gap_is_that_of_the_best_epoch():
    curves = Curves(validation=np.array([3.0, 1.0, 2.0]), training=np.array([2.0, 0.4, 0.1]))
    assert curves.best == 1 and curves.gap == pytest.approx(0.6)
