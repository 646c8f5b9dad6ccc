"""What may vary: hyperparameters, their conditions and priors, and their encoding to numbers."""

from dialed.space.discover import Discovery, Failure, discover, refine
from dialed.space.domains import Boolean, Choice, Domain, Fixed, Float, Int, domain_from_json
from dialed.space.hyperparameter import Condition, Hyperparameter
from dialed.space.hyperparameters import HyperParameters, Infeasible
from dialed.space.space import Row, Space
from dialed.trial import Value, Values

__all__ = [
    "Boolean",
    "Choice",
    "Condition",
    "Discovery",
    "Domain",
    "Failure",
    "Fixed",
    "Float",
    "HyperParameters",
    "Hyperparameter",
    "Infeasible",
    "Int",
    "Row",
    "Space",
    "Value",
    "Values",
    "discover",
    "domain_from_json",
    "refine",
]
