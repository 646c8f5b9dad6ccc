"""The confirmation as a race."""

import pytest

from dialed.analysis.views import race_view
from dialed.errors import StudyError


def test_finalists_stand_beside_the_score_that_chose_them(writer):
    made = writer("min")
    for score in (3.0, 1.0):
        made.train(made.start({}, until=1), [score])
    made.judge(0, {7: 3.0, 8: 3.2, 9: 2.9})
    made.judge(1, {7: 1.5, 8: 1.6, 9: 1.4})
    view = race_view(made.history)
    assert [(r.trial, r.role, r.searched) for r in view.runners] == [(1, "winner", 1.0), (0, "defaults", 3.0)]
    assert view.runners[0].scores == (1.5, 1.6, 1.4)
    assert view.gain is not None
    assert "3 fresh paired seeds" in view.sentence


def test_a_study_that_nobody_confirmed_has_no_race(searched):
    with pytest.raises(StudyError, match="trained under fresh seeds, and this study has none"):
        race_view(searched(3))
