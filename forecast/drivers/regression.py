"""How much of an output's variance some inputs explain: v(A) = Var E[y | x_A], from dependent draws, by regression.

The draws are cut into three folds. A model is fitted on each fold alone; a draw of the third fold is predicted by both
others, f and g, and v(A) is the mean of y (f + g) - f g. The errors of f and g are independent, so their variance, which
would make any set of inputs look important, drops out, and what is left is the product of their biases. No model is
judged on draws it has seen. ``tests/drivers/test_regression.py`` holds this to closed forms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from forecast.drivers.splines import Features

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
FOLDS = 3
RIDGES = (1e-4, 1e-3, 1e-2, 0.03, 0.1)  # of a column's own variance


class Folds(NamedTuple):
    """Moments of the columns in each fold, and everything in one place to fit on one fold and predict the others."""

    columns: Array
    output: Array
    fold: Indices
    grams: Array
    covariances: Array
    ridge: float


def folds_of(segment: Indices) -> Indices:
    """Fold of each draw: whole segments, dealt out in turn."""
    result: Indices = np.unique(segment, return_inverse=True)[1] % FOLDS
    return result


def prepared(columns: Array, output: Array, segment: Indices, ridge: float | None = None) -> Folds:
    """Moments per fold; the ridge that predicts best across folds unless given.

    Parameters
    ----------
    columns : (draw, column), each of mean 0 and variance 1
    output : (draw,)
    segment : (draw,), the stretch of neighbouring draws that each lies in
    """
    fold, y = folds_of(segment), output - output.mean()
    grams = np.stack([columns[fold == k].T @ columns[fold == k] for k in range(FOLDS)])
    covariances = np.stack([columns[fold == k].T @ y[fold == k] for k in range(FOLDS)])
    found = Folds(columns, y, fold, grams, covariances, ridge or RIDGES[0])
    return found if ridge else found._replace(ridge=min(RIDGES, key=lambda one: miss(found._replace(ridge=one))))


def miss(data: Folds) -> float:
    """Mean squared error of the models of each fold on the others."""
    predicted = np.stack([data.columns @ b for b in coefficients(data)])
    squares = (data.output - predicted) ** 2
    return float(np.mean([squares[k][data.fold != k].mean() for k in range(FOLDS)]))


def penalised(data: Folds, fold: int) -> Array:
    """Gram matrix of a fold with the ridge on its diagonal."""
    gram: Array = data.grams[fold].copy()
    gram.flat[:: len(gram) + 1] += data.ridge * np.count_nonzero(data.fold == fold)
    return gram


def coefficients(data: Folds) -> list[Array]:
    """Coefficients of the model of each fold."""
    return [cho_solve(cho_factor(penalised(data, k), lower=True), data.covariances[k]) for k in range(FOLDS)]


def contributions(data: Folds, predicted: Array) -> Array:
    """y (f + g) - f g of every draw, whose mean is v(A); `predicted` is (fold, draw, set)."""
    result = np.empty(predicted.shape[1:])
    for k in range(FOLDS):
        rows = data.fold == k
        f, g = (predicted[other][rows] for other in range(FOLDS) if other != k)
        result[rows] = data.output[rows, None] * (f + g) - f * g
    return result


def growing(data: Folds, steps: Indices, number: int) -> Array:
    """Contributions of the sets that grow step by step, (draw, number): one factorisation serves them all.

    Parameters
    ----------
    steps : (column,)
        The step, 0 to number - 1, at which each column comes in.
    """
    order = np.argsort(steps, kind="stable")
    inside = steps[order][:, None] <= np.arange(number)
    predicted = np.empty((FOLDS, len(data.output), number))
    for k in range(FOLDS):
        factor = np.linalg.cholesky(penalised(data, k)[np.ix_(order, order)])
        forward = solve_triangular(factor, data.covariances[k][order], lower=True, check_finite=False)
        scattered = np.empty((len(order), number))
        scattered[order] = solve_triangular(
            factor, forward[:, None] * inside, lower=True, trans="T", check_finite=False
        )
        predicted[k] = data.columns @ scattered
    return contributions(data, predicted)


def alone(data: Folds, sets: Sequence[Indices]) -> Array:
    """Contributions of each set of columns on its own, (draw, set)."""
    predicted = np.empty((FOLDS, len(data.output), len(sets)))
    for k in range(FOLDS):
        gram = penalised(data, k)
        for index, chosen in enumerate(sets):
            part = np.linalg.solve(gram[np.ix_(chosen, chosen)], data.covariances[k][chosen])
            predicted[k][:, index] = data.columns[:, chosen] @ part
    return contributions(data, predicted)


def without(data: Folds, sets: Sequence[Indices]) -> Array:
    """Contributions of all columns but each set, (draw, set), from one inverse."""
    predicted = np.empty((FOLDS, len(data.output), len(sets)))
    for k in range(FOLDS):
        inverse = np.linalg.inv(penalised(data, k))
        whole = inverse @ data.covariances[k]
        lost = np.stack([inverse[:, s] @ np.linalg.solve(inverse[np.ix_(s, s)], whole[s]) for s in sets], axis=1)
        predicted[k] = data.columns @ (whole[:, None] - lost)
    return contributions(data, predicted)


def reading(features: Features, inputs: Sequence[int]) -> Indices:
    """Columns that read any of some inputs."""
    result: Indices = np.flatnonzero(np.isin(features.reads, list(inputs)).any(axis=1))
    return result
