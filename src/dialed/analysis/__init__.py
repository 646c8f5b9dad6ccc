"""What was learned from a study. See README.md beside this file."""

from __future__ import annotations

from dialed.analysis.comparison import Comparison, Course, compare, compare_rebuilt, compare_retrained
from dialed.analysis.curves import Finding, Kind
from dialed.analysis.diagnosis import Diagnosis, TrialDiagnosis, diagnosis_of
from dialed.analysis.explanation import Explanation, Step, explain, explanations_of, recorded_explanation
from dialed.analysis.importance import Importance, Influence, Interaction, importance_of, what_mattered
from dialed.analysis.plots import Plots
from dialed.analysis.remedies import Edge

__all__ = [
    "Comparison",
    "Course",
    "Diagnosis",
    "Edge",
    "Explanation",
    "Finding",
    "Importance",
    "Influence",
    "Interaction",
    "Kind",
    "Plots",
    "Step",
    "TrialDiagnosis",
    "compare",
    "compare_rebuilt",
    "compare_retrained",
    "diagnosis_of",
    "explain",
    "explanations_of",
    "importance_of",
    "recorded_explanation",
    "what_mattered",
]
