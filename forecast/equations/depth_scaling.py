"""Layers of a model of given size: rival power laws in the parameters, L = L_ref (p / 7e10)^alpha.

The rivals share one signature, so `LAYERS` chooses among them by name. Source: MODEL section 2, equation 7.
Valid from about 1e8 parameters on; arguments broadcast.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from forecast.equations._smooth import Array, Namespace

REFERENCE_PARAMS = 7e10  # the size at which `reference_layers` is stated (Chinchilla's)
LEVINE_LARGEST_EXPONENT = float(np.log(2.0) / np.log(100.0))  # 100x parameters for less than 2x depth
FIXED_ASPECT_EXPONENT = 1.0 / 3.0  # parameters go as depth x width^2, width / depth fixed


def log_layers(
    params: Array,
    reference_layers: Array,
    depth_exponent: Array,
    log_offset: Array = 0.0,
    *,
    xp: Namespace = np,
) -> Array:
    """Return ln layers = ln L_ref + alpha (ln p - ln 7e10) + `log_offset`.

    >>> round(float(log_layers(7e12, 80.0, 0.25)), 6)
    5.533319
    """
    return xp.log(reference_layers) + depth_exponent * xp.log(params / REFERENCE_PARAMS) + log_offset


def fitted(
    params: Array,
    reference_layers: Array,
    depth_exponent: Array,
    log_offset: Array = 0.0,
    *,
    xp: Namespace = np,
) -> Array:
    """Layers with the exponent learned from published architectures.

    Parameters
    ----------
    params : active parameters
    reference_layers : layers at 7e10 parameters
    depth_exponent : alpha
    log_offset : ln layers by which this model departs from the trend

    >>> round(float(fitted(7e12, 80.0, 0.25)), 6)
    252.982213
    """
    return xp.exp(log_layers(params, reference_layers, depth_exponent, log_offset, xp=xp))


def levine2020(
    params: Array,
    reference_layers: Array,
    depth_exponent: Array,
    log_offset: Array = 0.0,
    *,
    xp: Namespace = np,
) -> Array:
    """Layers with an exponent of at most ln 2 / ln 100: depth can stay nearly constant (Levine et al. 2020).

    Arguments as for `fitted`.

    >>> round(float(levine2020(7e12, 80.0, 0.25)), 6)
    160.0
    """
    return fitted(params, reference_layers, xp.minimum(depth_exponent, LEVINE_LARGEST_EXPONENT), log_offset, xp=xp)


def kaplan2020(
    params: Array,
    reference_layers: Array,
    depth_exponent: Array,
    log_offset: Array = 0.0,
    *,
    xp: Namespace = np,
) -> Array:
    """Layers at a fixed ratio of width to depth, alpha = 1/3 whatever `depth_exponent` says (Kaplan et al. 2020).

    Arguments as for `fitted`; the exponent only sets the shape of the result.

    >>> round(float(kaplan2020(7e13, 80.0, 0.25)), 6)
    800.0
    """
    return fitted(params, reference_layers, FIXED_ASPECT_EXPONENT + 0.0 * depth_exponent, log_offset, xp=xp)


LAYERS: dict[str, Callable[..., Array]] = {"levine2020": levine2020, "kaplan2020": kaplan2020, "fitted": fitted}
