"""The kernel's arithmetic and the linear algebra behind a Gaussian process."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotri, dtrtrs

from dialed.search.model.layout import Array

__all__ = ["inverse", "matern", "pairwise", "root_of", "solve", "squared_distances"]


def squared_distances(a: Array, b: Array) -> Array:
    """Between all rows of `a`, (m, width), and of `b`, (n, width): shape (m, n)."""
    squared = np.sum(a * a, axis=1)[:, None] + np.sum(b * b, axis=1) - 2.0 * (a @ b.T)
    return np.asarray(np.maximum(squared, 0.0))


def matern(squared: Array) -> Array:
    """The Matern 5/2 correlation at squared distances."""
    distance = np.sqrt(5.0 * squared)
    correlation = distance / 3.0  # in place from here on: these are the largest arrays of a decision
    correlation += 1.0
    correlation *= distance
    correlation += 1.0
    np.negative(distance, out=distance)
    correlation *= np.exp(distance, out=distance)
    return np.asarray(correlation)


def root_of(covariance: Array) -> Array:
    """The lower Cholesky factor; the diagonal is raised, tenfold each time, until there is one."""
    for raised in (0.0, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4):
        root, failed = dpotrf(covariance + raised * np.eye(len(covariance)), lower=1, clean=1)
        if not failed:
            return np.asarray(root)
    raise FloatingPointError("A covariance must be positive definite. Got one that is not, by more than rounding.")


def solve(root: Array, right: Array, *, transposed: bool = False) -> Array:
    """What `root`, or its transpose, must be multiplied by to give `right`."""
    solution, _ = dtrtrs(root, right, lower=1, trans=int(transposed))
    return np.asarray(solution)


def inverse(root: Array) -> Array:
    """The inverse of the matrix whose lower Cholesky factor is `root`."""
    lower, _ = dpotri(root, lower=1)
    return np.asarray(np.tril(lower) + np.tril(lower, -1).T)


def pairwise(weights: Array, scaled: Array, owner: NDArray[np.int64], dimensions: int) -> Array:
    """For each dimension, the sum over all pairs of their weight times their squared distance in it."""
    columns = 2.0 * (weights.sum(axis=1) @ (scaled * scaled) - np.einsum("ij,ij->j", scaled, weights @ scaled))
    return np.bincount(owner, columns, minlength=dimensions).astype(np.float64)
