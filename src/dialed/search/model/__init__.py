"""The mathematics of a model of the objective. Imports SciPy, so strategies import it where they need it."""
