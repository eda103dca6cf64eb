"""Research output from labour and compute, its elicitation, and software at constant inputs.

Inputs are ratios to a reference point where output is 1 and compute's share is s. Everything works in logs and is
smooth through Cobb-Douglas (rho = 0). Source: MODEL section 4. Arguments broadcast.

Symbols
-------
rho : substitution exponent, (sigma - 1) / sigma; below 0 labour and compute are complements
s : `compute_share`, compute's share of output at the reference point
zeta : `compute_exponent`, returns to scale of compute; lambda of labour is inside the labour ratio already
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from forecast.equations._smooth import (
    SERIES_BELOW,
    Array,
    Namespace,
    log1p_ratio,
    select,
)

LN2 = float(np.log(2.0))
LN10 = float(np.log(10.0))
LARGEST_LOG = 700.0  # of an infinite-labour multiple: sigma near 1 would exceed any float
LEONTIEF_RHO = -1e12  # at or below this the output is the smaller input to 12 digits
ELICITATION_STEPS = 8  # of Newton's method on a convex, nearly linear function: exact for multiples 1.05 to 1e6


@dataclass(frozen=True)
class ElicitedCes:
    """Parameters of `ces` that follow from three stated multiples."""

    rho: Array
    compute_share: Array
    compute_exponent: Array


def labour(workers: Array, serial_speed: Array, parallelization_exponent: Array) -> Array:
    """Effective labour of n parallel workers at serial speed v, n^lambda v (one person = 1).

    Parallel work steps on its own toes; speed does not.

    >>> labour(100.0, 10.0, 0.5)
    100.0
    """
    return workers**parallelization_exponent * serial_speed


def log_ces(
    log_labour_ratio: Array,
    log_compute_ratio: Array,
    compute_share: Array,
    rho: Array,
    compute_exponent: Array = 1.0,
    *,
    xp: Namespace = np,
) -> Array:
    """ln of research output M = [(1-s) (l/l0)^rho + s (K/K0)^(zeta rho)]^(1/rho).

    Parameters
    ----------
    log_labour_ratio : ln(l/l0), effective labour as `labour` counts it
    log_compute_ratio : ln(K/K0)
    compute_share : s, between 0 and 1
    rho : at most 1; 0 is Cobb-Douglas, -inf Leontief
    compute_exponent : zeta

    Examples
    --------
    >>> round(float(log_ces(2.0, 1.0, 0.25, 0.0)), 6)  # Cobb-Douglas: 0.75 x 2 + 0.25 x 1
    1.75
    >>> round(float(log_ces(2.0, 1.0, 0.25, -np.inf)), 6)  # Leontief: the smaller one
    1.0
    """
    # M = K^zeta (s + (1-s) e^z)^(1/rho) with z = rho (ln l - zeta ln K)
    base = compute_exponent * log_compute_ratio
    gap = log_labour_ratio - base
    rho = xp.maximum(rho, LEONTIEF_RHO)
    z = rho * gap
    small = abs(z) < SERIES_BELOW
    labour_share = 1.0 - compute_share
    far = _log_mean_exp(select(small, 1.0, z, xp=xp), labour_share, xp) / select(small, 1.0, rho, xp=xp)
    near = gap * _mean_slope(select(small, z, 0.0, xp=xp), labour_share)
    return base + select(small, near, far, xp=xp)


def _log_mean_exp(z: Array, weight: Array, xp: Namespace) -> Array:
    """Return ln(1 - w + w e^z), never overflowing."""
    positive = z > 0.0
    exponential_weight = weight + positive * (1.0 - 2.0 * weight)  # weight of the smaller of 1 and e^z
    return xp.maximum(z, 0.0) + xp.log1p(exponential_weight * xp.expm1(-abs(z)))


def _mean_slope(z: Array, weight: Array) -> Array:
    """Return ln(1 - w + w e^z) / z near 0, from the first four cumulants of a coin that shows 1 with probability w."""
    variance = weight * (1.0 - weight)
    skew = 1.0 - 2.0 * weight
    return weight + variance * z * (0.5 + z * (skew / 6.0 + z * (1.0 - 6.0 * variance) / 24.0))


def ces(
    labour_ratio: Array,
    compute_ratio: Array,
    compute_share: Array,
    rho: Array,
    compute_exponent: Array = 1.0,
    *,
    xp: Namespace = np,
) -> Array:
    """Research output relative to the reference point; arguments as for `log_ces`, with ratios instead of logs.

    >>> round(float(ces(4.0, 1.0, 0.5, 0.0)), 6)
    2.0
    """
    logs = (xp.log(labour_ratio), xp.log(compute_ratio))
    return xp.exp(log_ces(*logs, compute_share, rho, compute_exponent, xp=xp))


def rho_from_sigma(sigma: Array) -> Array:
    """Substitution exponent (sigma - 1) / sigma of an elasticity of substitution sigma > 0.

    >>> rho_from_sigma(0.5)
    -1.0
    """
    return (sigma - 1.0) / sigma


def sigma_from_rho(rho: Array) -> Array:
    """Elasticity of substitution 1 / (1 - rho), the inverse of `rho_from_sigma`.

    >>> sigma_from_rho(-1.0)
    0.5
    """
    return 1.0 / (1.0 - rho)


def rho_from_infinite_labour(infinite_labour_multiple: Array, compute_share: Array, *, xp: Namespace = np) -> Array:
    """Exponent rho = ln s / ln A at which infinite labour multiplies output by A > 1 (below 0).

    >>> round(float(rho_from_infinite_labour(16.0, 0.25)), 6)
    -0.5
    """
    return xp.log(compute_share) / xp.log(infinite_labour_multiple)


def log_asymptotes(rho: Array, compute_share: Array, *, xp: Namespace = np) -> tuple[Array, Array]:
    """ln of the output multiples A with infinite labour, s^(1/rho), and B with infinite compute, (1-s)^(1/rho).

    rho < 0. In logs, because a share near 1 makes B exceed any float.

    >>> [round(float(np.exp(x)), 4) for x in log_asymptotes(-0.5, 0.25)]
    [16.0, 1.7778]
    """
    return xp.log(compute_share) / rho, xp.log1p(-compute_share) / rho


def elicitation_from_asymptotes(
    infinite_labour_multiple: Array,
    infinite_compute_multiple: Array,
    tenth_compute_multiple: Array,
    *,
    xp: Namespace = np,
) -> ElicitedCes:
    """Parameters of `ces` from three multiples of output that an expert states.

    Parameters
    ----------
    infinite_labour_multiple, infinite_compute_multiple : A and B, above 1: A^rho + B^rho = 1 gives rho, s = A^rho
    tenth_compute_multiple : output with a tenth of the compute, below 1; gives zeta

    Examples
    --------
    >>> ces_of = elicitation_from_asymptotes(15.0, 5000.0, 1 / 3.33)
    >>> round(float(ces_of.rho), 6), round(float(ces_of.compute_share), 6), round(float(ces_of.compute_exponent), 6)
    (-0.137307, 0.689469, 0.732229)
    """
    log_a, log_b = xp.log(infinite_labour_multiple), xp.log(infinite_compute_multiple)
    x = LN2 / (log_a + log_b)  # below the root, from where Newton's method rises to it
    for _ in range(ELICITATION_STEPS):
        a_term, b_term = xp.exp(-x * log_a), xp.exp(-x * log_b)
        total = a_term + b_term
        x = x + total * xp.log(total) / (a_term * log_a + b_term * log_b)
    share = xp.exp(-x * log_a)
    exponent = compute_exponent_from_tenth(tenth_compute_multiple, -x, share, xp=xp)
    return ElicitedCes(rho=-x, compute_share=share, compute_exponent=exponent)


def production(p: Mapping[str, Array], *, xp: Namespace = np) -> dict[str, Array]:
    """Compute share, infinite-labour multiple and compute exponent that follow from what `p` states instead of them.

    Parameters
    ----------
    p : mapping
        Some of ``compute_share``, ``infinite_labour_multiple`` (A), ``infinite_compute_multiple`` (B),
        ``substitution_elasticity`` (sigma below 1) and ``tenth_compute_multiple``. Two of s, A, B, sigma are needed:
        A and B, s and sigma, or B and sigma; with s and A nothing follows.

    Examples
    --------
    >>> found = production({"infinite_labour_multiple": 15.0, "infinite_compute_multiple": 5000.0})
    >>> round(float(found["compute_share"]), 6)
    0.689469
    >>> round(float(production({"compute_share": 0.25, "substitution_elasticity": 2 / 3})["infinite_labour_multiple"]), 6)
    16.0
    """
    found: dict[str, Array] = {}
    sigma, tenth = p.get("substitution_elasticity"), p.get("tenth_compute_multiple")
    b = p.get("infinite_compute_multiple")
    if sigma is not None:
        rho = rho_from_sigma(sigma)
        if b is not None:
            found["compute_share"] = -xp.expm1(rho * xp.log(b))
        share = found.get("compute_share", p.get("compute_share"))
        found["infinite_labour_multiple"] = xp.exp(xp.minimum(xp.log(share) / rho, LARGEST_LOG))
    elif b is not None:
        elicited = elicitation_from_asymptotes(p["infinite_labour_multiple"], b, 0.1, xp=xp)
        found["compute_share"] = elicited.compute_share
    if tenth is not None:
        known = dict(p) | found
        rho = rho_from_infinite_labour(known["infinite_labour_multiple"], known["compute_share"], xp=xp)
        found["compute_exponent"] = compute_exponent_from_tenth(tenth, rho, known["compute_share"], xp=xp)
    return found


def compute_exponent_from_tenth(
    tenth_compute_multiple: Array, rho: Array, compute_share: Array, *, xp: Namespace = np
) -> Array:
    """Exponent zeta at which a tenth of the compute leaves this multiple of output: ((M^rho - 1 + s)/s) = 10^(-zeta rho).

    >>> round(float(compute_exponent_from_tenth(1 / 3.33, -0.137307, 0.689469)), 5)
    0.73223
    """
    compute_term = (xp.exp(rho * xp.log(tenth_compute_multiple)) - (1.0 - compute_share)) / compute_share
    return -xp.log(compute_term) / (rho * LN10)


def labour_share(
    log_labour_ratio: Array,
    log_compute_ratio: Array,
    compute_share: Array,
    rho: Array,
    compute_exponent: Array = 1.0,
    *,
    xp: Namespace = np,
) -> Array:
    """Elasticity of output in effective labour at a point, 1 - s at the reference point; arguments of `log_ces`.

    >>> round(float(labour_share(0.0, 0.0, 0.67, -0.2)), 6)
    0.33
    """
    gap = log_labour_ratio - compute_exponent * log_compute_ratio
    return 1.0 / (1.0 + compute_share / (1.0 - compute_share) * xp.exp(-rho * gap))


def implied_returns_on_labour(
    returns: Array,
    compute_share: Array,
    rho: Array = 0.0,
    log_labour_ratio: Array = 0.0,
    log_compute_ratio: Array = 0.0,
    compute_exponent: Array = 1.0,
    *,
    xp: Namespace = np,
) -> Array:
    """Give the returns to R&D on cognitive labour alone, compute held fixed: r times the labour share at the point.

    `returns` is r = lambda/beta on all inputs; the other arguments are those of `log_ces`.

    >>> round(float(implied_returns_on_labour(1.0, 0.67)), 6)
    0.33
    """
    point = (log_labour_ratio, log_compute_ratio, compute_share, rho, compute_exponent)
    return returns * labour_share(*point, xp=xp)


def input_growth(labour_growth: Array, compute_growth: Array, compute_share: Array) -> Array:
    """Growth of all research inputs together, g_R = (1-s) g_L + s g_K (ln per year).

    >>> round(input_growth(0.85, 1.3, 0.6), 6)
    1.12
    """
    return (1.0 - compute_share) * labour_growth + compute_share * compute_growth


def returns_on_all_inputs(returns_on_labour: Array, labour_growth: Array, input_growth: Array) -> Array:
    """Convert returns on labour alone to returns r on all inputs, with g_L / g_R of the estimate's own data.

    >>> returns_on_all_inputs(1.5, 0.5, 0.75)
    1.0
    """
    return returns_on_labour * labour_growth / input_growth


def log_software_constant_inputs(
    years: Array, growth: Array, output: Array, difficulty_exponent: Array, *, xp: Namespace = np
) -> Array:
    """ln S after `years` of constant research output, from S^beta = 1 + beta g M t and S = 1 at the start.

    Parameters
    ----------
    years : t, Julian years
    growth : g, growth of ln S per year at output 1 and S = 1
    output : M, research output relative to the reference point
    difficulty_exponent : beta = lambda / r; 0 is exponential growth, below 0 S is infinite after 1/(-beta g M) years

    >>> round(float(log_software_constant_inputs(10.0, 0.9, 2.0, 0.5)), 6)
    4.60517
    >>> float(log_software_constant_inputs(10.0, 0.9, 2.0, 0.0))
    18.0
    """
    return log1p_ratio(growth * output * years, difficulty_exponent, xp=xp)
