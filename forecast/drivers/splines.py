"""Columns to regress an output on: splines of every input, and products of pairs where the draws show an interaction.

Inputs enter by their normal scores, so that no unit, bound or tail matters. All inputs have their straight line; curves
and pairs come in where the residuals ask for them (`screened`), which keeps a hundred inputs within a few hundred columns.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri
from scipy.stats import chi2, rankdata

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
FEW = 4  # inputs up to which products of pairs are taken in full
MANY = 16  # inputs from which on curves have fewer knots
KNOTS, KNOTS_OF_MANY = 10, 6
PAIR_TERMS = 5  # columns of an input that enter products
PRODUCTS = 200  # at most, the strongest
DOUBT = 0.05  # chance of taking in any curve, or any pair, where there is none


class Features(NamedTuple):
    """Columns (draw, column), and the one or two inputs that each column reads, (column, 2)."""

    columns: Array
    reads: Indices


def normal_scores(values: Array) -> Array:
    """Each column of (draw, input) by the normal quantile of its rank."""
    result: Array = ndtri((rankdata(values, axis=0) - 0.5) / len(values))
    return result


def spline_columns(scores: Array, knots: int) -> Array:
    """Natural cubic spline of one input, (draw, knots - 1), uncorrelated, of unit variance; the first is the line.

    Hastie, Tibshirani & Friedman 2009, The Elements of Statistical Learning, section 5.2.1, knots at equal steps of rank.
    """
    at = np.unique(np.quantile(scores, (np.arange(knots) + 0.5) / knots))
    cubes = np.maximum(scores[:, None] - at, 0.0) ** 3
    bends = (cubes[:, :-1] - cubes[:, -1:]) / (at[-1] - at[:-1])
    raw = np.column_stack([scores, bends[:, :-1] - bends[:, -1:]])
    orthogonal = np.linalg.qr(raw - raw.mean(axis=0))[0]
    result: Array = orthogonal * np.sqrt(len(scores)) * np.sign(np.sum(orthogonal * raw, axis=0))
    return result


def splines(values: Array) -> list[Array]:
    """`spline_columns` of every input."""
    scores = normal_scores(values)
    knots = KNOTS if values.shape[1] < MANY else KNOTS_OF_MANY
    return [spline_columns(column, knots) for column in scores.T]


def screened(curves: list[Array], output: Array) -> Features:
    """The columns for one output: all lines, then the curves and pairs that its residuals show.

    With up to `FEW` inputs all curves, and products of all columns of a pair, are candidates.

    Parameters
    ----------
    curves : columns of each input, from `splines`
    output : (draw,)
    """
    few = len(curves) <= FEW
    size, bent = len(output), curves[0].shape[1] - 1
    lines = np.column_stack([columns[:, 0] for columns in curves])
    left = residual(lines, output)
    strength = np.array([explained(columns[:, 1:], left) for columns in curves])
    needed = size * strength > chi2.isf(DOUBT / len(curves), bent)
    chosen = [(index, columns) for index, columns in enumerate(curves) if few or needed[index]]
    parts = [lines, *(columns[:, 1:] for _, columns in chosen)]
    reads = [(i, i) for i in range(len(curves))] + [(i, i) for i, c in chosen for _ in range(c.shape[1] - 1)]
    left = residual(np.column_stack(parts), output)
    terms = bent + 1 if few else min(PAIR_TERMS, bent + 1)
    for one, other, joint in interactions(curves, left, terms):
        parts.append(joint)
        reads += [(one, other)] * joint.shape[1]
    columns = np.column_stack(parts)
    columns = columns - columns.mean(axis=0)
    spread = columns.std(axis=0)
    return Features(columns / np.where(spread > 0.0, spread, 1.0), np.array(reads, dtype=np.intp))


def residual(columns: Array, output: Array) -> Array:
    """What the columns leave of the output by least squares."""
    centred = output - output.mean()
    result: Array = centred - columns @ np.linalg.lstsq(columns, centred, rcond=None)[0]
    return result


def explained(columns: Array, output: Array) -> float:
    """Share of the variance that uncorrelated columns of unit variance explain."""
    variance = float(output.var())
    return float(np.sum((columns.T @ output / len(output)) ** 2)) / variance if variance > 0.0 else 0.0


def interactions(curves: list[Array], left: Array, terms: int) -> list[tuple[int, int, Array]]:
    """Pairs of inputs and products of their first `terms` columns that correlate with the residuals, (draw, product).

    Pairs of few inputs that interact come with all their products, those of many with the products that show.
    """
    low = np.column_stack([columns[:, :terms] for columns in curves])
    size, number = len(left), len(curves)
    scale = np.maximum((low**2).T @ low**2 / size, 1e-12) * max(left.var(), 1e-300)
    shown = size * ((low * left[:, None]).T @ low / size) ** 2 / scale  # chi-squared of 1 degree of freedom each
    shown = shown.reshape(number, terms, number, terms).transpose(0, 2, 1, 3)
    shown[np.tril_indices(number)] = 0.0
    pairs = number * (number - 1) // 2
    if pairs == 0:
        return []
    if number < MANY:
        total = shown.sum(axis=(2, 3))
        chosen = np.argwhere(total > chi2.isf(DOUBT / pairs, terms**2))
        chosen = chosen[np.argsort(-total[tuple(chosen.T)], kind="stable")][: max(1, PRODUCTS // terms**2)]
        return [(i, j, products(curves[i][:, :terms], curves[j][:, :terms])) for i, j in chosen.tolist()]
    found = np.argwhere(shown > chi2.isf(DOUBT / (pairs * terms**2), 1))
    found = found[np.argsort(-shown[tuple(found.T)], kind="stable")][:PRODUCTS]
    return [(i, j, curves[i][:, [a]] * curves[j][:, [b]]) for i, j, a, b in found.tolist()]


def products(one: Array, other: Array) -> Array:
    """Each column of one input times each of another."""
    return (one[:, :, None] * other[:, None, :]).reshape(len(one), -1)
