"""Draws weighted by a measurement, and what a measurement is worth before it is made.

A draw says that a quantity lies at `mean` and that one measures it with Student-t (or normal) noise of scale `spread`;
the weight of the draw is the likelihood of what was measured. The worth of a measurement is an expectation over what it
might show: values are simulated from the draws themselves, and each is answered by the exact mixture over all draws, so
that no regression or density estimate stands between. ``tests/research/test_reweighting.py`` holds this to closed forms.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

Array = npt.NDArray[np.float64]
LN2 = float(np.log(2.0))
SIMULATED = 2000  # values that a measurement might show
RESAMPLES = 50  # bootstrap samples of the draws, for error and bias
BOOTSTRAP_BLOCK = 20  # neighbouring draws that are resampled together: those of a chain are not quite independent
ENTRIES = 1_000_000  # of the table value x draw that are held at once
NOISE_NODES = 40  # equally probable values of the noise that predictive quantiles are taken over
STREAM = b"watch"


@dataclass(frozen=True)
class Measurement:
    """What one would measure in each draw: `mean` with noise of scale `spread`, both (draw,), on a log scale or any other.

    `nu` are the degrees of freedom of the noise (inf: normal). Of a value above `reach` one sees only that it is above.
    A draw whose `mean` is +inf shows +inf.
    """

    mean: Array
    spread: Array
    nu: float = np.inf
    reach: float = np.inf


class Estimate(NamedTuple):
    """A number and its Monte Carlo standard error."""

    value: float
    error: float


class Worth(NamedTuple):
    """What a measurement is expected to tell.

    `bits` is the mutual information with the event, `shift` the mean absolute change of its probability, `reduction`
    the share of the variance of the ranks that goes, `effective_draws` how many draws a typical value leaves.
    """

    bits: Estimate
    shift: Estimate
    reduction: Estimate
    effective_draws: float


def standardized(values: Array, measured: Measurement) -> tuple[Array, Array]:
    """(value - mean) / spread of each value and draw, (value, draw), and the spread; two infinities are no distance apart."""
    spread = np.where(np.isfinite(measured.mean), measured.spread, 1.0)
    with np.errstate(invalid="ignore"):
        distance = (values[:, None] - measured.mean) / spread
    return np.where(np.isnan(distance), 0.0, distance), spread


def log_kernel(distance: Array, nu: float) -> Array:
    """Log density of standard noise up to a constant."""
    if np.isinf(nu):
        return -0.5 * distance**2
    return -0.5 * (nu + 1.0) * np.log1p(distance**2 / nu)


def at_least(value: float, measured: Measurement) -> Array:
    """P(measured >= value), (draw,).

    >>> at_least(1.0, Measurement(np.array([1.0, np.inf]), np.ones(2))).tolist()
    [0.5, 1.0]
    """
    distance, _ = standardized(np.array([value]), measured)
    distance = np.where(np.isinf(measured.mean), -np.inf, distance)  # +inf is at least anything
    result: Array = special.ndtr(-distance[0]) if np.isinf(measured.nu) else special.stdtr(measured.nu, -distance[0])
    return result


def log_likelihood(value: float, measured: Measurement) -> Array:
    """Log density of a measured value, or log P(>= reach) where it lies at or beyond, (draw,), up to a constant."""
    if value >= measured.reach:
        with np.errstate(divide="ignore"):
            beyond: Array = np.log(at_least(measured.reach, measured))
        return beyond
    distance, spread = standardized(np.array([value]), measured)
    result: Array = log_kernel(distance, measured.nu)[0] - np.log(spread)
    return result


def likelihood(values: Array, measured: Measurement) -> Array:
    """Likelihood of many values, (value, draw), up to a factor per value."""
    distance, spread = standardized(values, measured)
    result = np.exp(log_kernel(distance, measured.nu)) / spread
    beyond = values >= measured.reach
    if beyond.any():
        result[beyond] = at_least(measured.reach, measured)
    return result


def weights(log_likelihoods: Array) -> Array:
    """Weights of the draws that add up to 1, from log-likelihoods; equal ones where no draw allows what was seen."""
    top = log_likelihoods.max()
    raw = np.exp(log_likelihoods - top) if np.isfinite(top) else np.ones(log_likelihoods.shape)
    result: Array = raw / raw.sum()
    return result


def effective_draws(weight: Array) -> float:
    """(sum w)^2 / sum w^2: as many equally weighted draws are as good as these.

    >>> effective_draws(np.array([0.5, 0.5, 0.0]))
    2.0
    """
    return float(weight.sum() ** 2 / (weight**2).sum())


def weighted_quantile(values: Array, weight: Array, levels: Sequence[float]) -> Array:
    """Quantiles of weighted draws, linear between order statistics; with equal weights those of ``quantiles.quantile``.

    A quantile that needs a censored draw is ``inf``.

    >>> weighted_quantile(np.array([0.0, 1.0, np.inf]), np.array([0.2, 0.6, 0.2]), [0.25, 0.5, 0.75]).tolist()
    [0.5, 1.0, inf]
    """
    order = np.argsort(values, kind="stable")
    order = order[weight[order] > 0.0]
    ordered, share = values[order], weight[order]
    if order.size == 1:
        return np.full(len(levels), ordered[0])
    middle = np.cumsum(share) - 0.5 * share
    position = (middle - middle[0]) / (middle[-1] - middle[0])
    wanted = np.asarray(levels, dtype=float)
    index = np.clip(np.searchsorted(position, wanted, side="right") - 1, 0, order.size - 2)
    low, high = ordered[index], ordered[index + 1]
    width = np.maximum(position[index + 1] - position[index], np.finfo(float).tiny)
    part = np.clip((wanted - position[index]) / width, 0.0, 1.0)
    with np.errstate(invalid="ignore"):  # inf - inf, replaced on the next line
        between = low + part * (high - low)
    return np.where((part < 1e-9) | (low == high) | np.isinf(low), low, between)


def predictive_quantiles(measured: Measurement, levels: Sequence[float]) -> Array:
    """Quantiles of what will be measured: of the mixture over the draws, noise included, without simulating any."""
    nodes = (np.arange(NOISE_NODES) + 0.5) / NOISE_NODES
    noise = special.ndtri(nodes) if np.isinf(measured.nu) else special.stdtrit(measured.nu, nodes)
    values = (measured.mean[:, None] + measured.spread[:, None] * noise).ravel()
    return weighted_quantile(values, np.ones(values.size), levels)


def stream(seed: int, name: str) -> np.random.Generator:
    """A random stream of its own for each name."""
    key = (zlib.crc32(STREAM), zlib.crc32(name.encode()))
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def resampled(size: int, seed: int, resamples: int = RESAMPLES) -> Array:
    """How often each draw is in each bootstrap sample, (draw, 1 + sample); the first column is the draws as they are."""
    blocks = -(-size // BOOTSTRAP_BLOCK)
    counts = stream(seed, "bootstrap").multinomial(blocks, np.full(blocks, 1.0 / blocks), size=resamples)
    columns = np.repeat(counts.T, BOOTSTRAP_BLOCK, axis=0)[:size]
    return np.concatenate([np.ones((size, 1)), columns], axis=1)


def share(weight: Array, event: Array, counts: Array) -> Estimate:
    """Weighted probability of an event, with its Monte Carlo error; `counts` as of `resampled`."""
    found = ratio((weight * event) @ counts, weight @ counts, 0.0)
    return Estimate(float(found[0]), float(found[1:].std()))


def ratio(part: Array, whole: Array, otherwise: float | Array) -> Array:
    """part / whole, and `otherwise` where whole is 0: a bootstrap sample may hold no draw that counts."""
    result: Array = np.divide(part, whole, out=np.broadcast_to(otherwise, whole.shape).copy(), where=whole > 0.0)
    return result


def simulated(measured: Measurement, draws: npt.NDArray[np.intp], generator: np.random.Generator) -> Array:
    """A value that might be measured in each of some draws."""
    normal = np.isinf(measured.nu)
    noise = generator.standard_normal(draws.size) if normal else generator.standard_t(measured.nu, draws.size)
    return measured.mean[draws] + measured.spread[draws] * noise


def worths(
    measured: Mapping[str, Measurement],
    groups: Mapping[str, Sequence[str]],
    event: Array,
    ranks: Array,
    seed: int,
    values: int = SIMULATED,
    resamples: int = RESAMPLES,
) -> dict[str, Worth]:
    """What measurements are worth, alone and together.

    Parameters
    ----------
    measured : mapping
        Measurements by name; noises are independent given the draw.
    groups : mapping
        What to judge: a label and the names of what is measured together.
    event : (draw,)
        1 where it happens.
    ranks : (draw,)
        Ranks of the quantity whose uncertainty is to shrink, ties sharing theirs.
    seed : int
    values : int
        How many values of each measurement are simulated.
    resamples : int
        How many bootstrap samples of the draws say the error.

    Returns
    -------
    dict
        `Worth` by label. A mixture of finitely many draws learns its own draws too well; the bootstrap says by how much,
        and that is taken off, down to 0.
    """
    size = event.size
    draws = np.resize(stream(seed, "draws").permutation(size), values)
    shown = {name: simulated(one, draws, stream(seed, name)) for name, one in measured.items()}
    counts = resampled(size, seed, resamples)
    columns = np.concatenate([counts, counts * event[:, None], counts * ranks[:, None]], axis=1)
    sums: dict[str, list[Array]] = {label: [] for label in groups}
    squares: dict[str, list[Array]] = {label: [] for label in groups}
    rows = max(ENTRIES // size, 1)
    for start in range(0, values, rows):
        part = {name: likelihood(shown[name][start : start + rows], one) for name, one in measured.items()}
        for label, names in groups.items():
            weight = np.prod([part[name] for name in names], axis=0) if len(names) > 1 else part[names[0]]
            sums[label].append(weight @ columns)
            squares[label].append(np.einsum("ij,ij->i", weight, weight))
    base = np.ones(size) @ columns
    return {
        label: judged(np.concatenate(sums[label]), np.concatenate(squares[label]), base, counts, draws, ranks)
        for label in groups
    }


def judged(sums: Array, squares: Array, base: Array, counts: Array, draws: npt.NDArray[np.intp], ranks: Array) -> Worth:
    """`Worth` from the weighted sums (value, 3 x sample) of draws, events and ranks, and the same without weights."""
    total, happened, ranked = np.split(sums, 3, axis=1)
    whole, prior, centre = np.split(base, 3)
    prior, centre = prior / whole, centre / whole
    probability = np.clip(ratio(happened, total, prior), 0.0, 1.0)
    mean = ratio(ranked, total, centre)
    often = counts[draws] / counts[draws].sum(axis=0)  # of each simulated value, in each bootstrap sample
    uncertain = (prior > 0.0) & (prior < 1.0)
    known = np.where(uncertain, prior, 0.5)
    gained = special.rel_entr(probability, known) + special.rel_entr(1.0 - probability, 1.0 - known)
    variance = (ranks**2) @ counts / whole - centre**2
    return Worth(
        unbiased(np.where(uncertain, (often * gained).sum(axis=0) / LN2, 0.0), entropy(prior[0])),
        unbiased((often * np.abs(probability - prior)).sum(axis=0), 2.0 * prior[0] * (1.0 - prior[0])),
        unbiased(ratio((often * (mean - centre) ** 2).sum(axis=0), variance, 0.0), 1.0),
        float(np.median(total[:, 0] ** 2 / squares)),
    )


def entropy(probability: float) -> float:
    """What there is to know of an event, in bits.

    >>> entropy(0.5), entropy(0.0)
    (1.0, 0.0)
    """
    return float((special.entr(probability) + special.entr(1.0 - probability)) / LN2)


def unbiased(found: Array, ceiling: float) -> Estimate:
    """A figure of the draws (first entry) less its bias, within 0..`ceiling`; bias and error from bootstrap samples (rest)."""
    return Estimate(float(np.clip(2.0 * found[0] - found[1:].mean(), 0.0, ceiling)), float(found[1:].std()))
