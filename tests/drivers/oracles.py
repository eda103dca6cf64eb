"""Functions whose variance shares are known exactly, from their own papers."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def ishigami(x: Array, a: float = 7.0, b: float = 0.1) -> Array:
    """sin x1 + a sin^2 x2 + b x3^4 sin x1, x uniform on -pi..pi (Ishigami & Homma 1990)."""
    return np.sin(x[:, 0]) + a * np.sin(x[:, 1]) ** 2 + b * x[:, 2] ** 4 * np.sin(x[:, 0])


def ishigami_variances(a: float = 7.0, b: float = 0.1) -> dict[tuple[int, ...], float]:
    """Variance of each term of its decomposition."""
    pi4 = np.pi**4
    first, second = 0.5 * (1.0 + b * pi4 / 5.0) ** 2, a**2 / 8.0
    return {(0,): first, (1,): second, (0, 2): b**2 * pi4**2 * (1.0 / 18.0 - 1.0 / 50.0)}


def g_function(u: Array, a: Array) -> Array:
    """Product of (|4 u - 2| + a) / (1 + a), u uniform on 0..1 (Sobol)."""
    result: Array = np.prod((np.abs(4.0 * u - 2.0) + a) / (1.0 + a), axis=1)
    return result


def g_variances(a: Array) -> dict[tuple[int, ...], float]:
    """Variance of each term of its decomposition: products of 1/(3 (1 + a)^2)."""
    single = 1.0 / (3.0 * (1.0 + a) ** 2)
    sets = (s for size in range(1, a.size + 1) for s in combinations(range(a.size), size))
    return {s: float(np.prod(single[list(s)])) for s in sets}


def shapley_of_terms(variances: dict[tuple[int, ...], float], inputs: int) -> Array:
    """Shapley effects of independent inputs: each term is shared equally by its inputs (Owen 2014)."""
    shares = np.zeros(inputs)
    for members, variance in variances.items():
        shares[list(members)] += variance / len(members)
    return shares / sum(variances.values())


def gaussian_explained(members: tuple[int, ...], slopes: Array, covariance: Array) -> float:
    """Var E[slopes.x | x_A] of a linear function of Gaussian inputs."""
    if not members:
        return 0.0
    a = list(members)
    toward = covariance[a] @ slopes
    return float(toward @ np.linalg.solve(covariance[np.ix_(a, a)], toward))


def gaussian_shapley(slopes: Array, covariance: Array) -> Array:
    """Shapley effects of a linear function of a few Gaussian inputs, over all orders (Owen & Prieur 2017)."""
    inputs = slopes.size
    shares, orders = np.zeros(inputs), list(permutations(range(inputs)))
    for order in orders:
        for k in range(inputs):
            before, now = tuple(sorted(order[:k])), tuple(sorted(order[: k + 1]))
            shares[order[k]] += gaussian_explained(now, slopes, covariance) - gaussian_explained(
                before, slopes, covariance
            )
    return shares / len(orders) / float(slopes @ covariance @ slopes)
