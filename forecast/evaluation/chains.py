"""How many independent draws one short chain is worth, and whether its halves agree; all parameters at once.

ArviZ computes the same one parameter after the other, which would take as long as the refits of a small block.
``tests/evaluation/test_calibration.py`` holds these to it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri
from scipy.stats import rankdata

Array = npt.NDArray[np.float64]


def effective_sizes(draws: Array) -> Array:
    """Bulk effective sample size of each column of a chain's draws (draw, entry), by Geyer's initial monotone sequence.

    On the two halves of the chain (Vehtari, Gelman, Simpson, Carpenter & Bürkner 2021, sections 3.2 and 4.3); 1 where it
    stood still.

    >>> draws = np.random.default_rng(2).standard_normal((400, 1))
    >>> bool(300.0 < effective_sizes(draws)[0] < 520.0)
    True
    """
    halves = split(normal_scores(draws))
    length, size = halves.shape[1], 2 * halves.shape[1]
    covariance = autocovariance(halves).mean(axis=0)
    within, total = variances(halves)
    moved = total > 0.0
    correlation = 1.0 - (within - covariance) / np.where(moved, total, 1.0)
    pairs = correlation[: length - length % 2].reshape(length // 2, 2, -1).sum(axis=1)
    pairs[0] = np.maximum(1.0 + correlation[1], 0.0)  # the estimate at lag 0 is 1 by definition
    kept = np.cumprod(pairs > 0.0, axis=0)
    time = 2.0 * (np.minimum.accumulate(pairs, axis=0) * kept).sum(axis=0) - 1.0
    return np.where(moved, size / np.maximum(time, 1.0 / np.log10(size)), 1.0)


def halves_rhat(draws: Array) -> Array:
    """R-hat of each column of a chain's draws (draw, entry) between its halves, the larger of location and spread.

    +inf where a half stood still.
    """
    found = []
    for values in (draws, np.abs(draws - np.median(draws, axis=0))):
        within, total = variances(split(normal_scores(values)))
        found.append(np.where(within > 0.0, np.sqrt(total / np.where(within > 0.0, within, 1.0)), np.inf))
    return np.asarray(np.max(found, axis=0))


def normal_scores(draws: Array) -> Array:
    """Draws replaced by the normal quantiles of their ranks, so that heavy tails have moments."""
    return np.asarray(ndtri((rankdata(draws, axis=0) - 0.375) / (draws.shape[0] + 0.25)))


def split(draws: Array) -> Array:
    """The two halves of a chain, (2, draw, entry); of an odd number the middle draw is in neither."""
    half = draws.shape[0] // 2
    return np.stack([draws[:half], draws[-half:]])


def variances(chains: Array) -> tuple[Array, Array]:
    """Variance within chains (chain, draw, entry) and the estimate of the whole that adds the one between them."""
    length = chains.shape[1]
    within = chains.var(axis=1, ddof=1).mean(axis=0)
    between = chains.mean(axis=1).var(axis=0, ddof=1)
    return within, within * (length - 1) / length + between


def autocovariance(chains: Array) -> Array:
    """Autocovariance by lag of each chain, (chain, lag, entry), by fast Fourier transform."""
    length = chains.shape[1]
    centred = chains - chains.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(centred, 2 * length, axis=1)
    return np.asarray(np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, :length] / length)
