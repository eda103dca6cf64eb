"""Serial speed of one stream, and how many streams and researchers a fleet amounts to.

Three rival stream speeds stand side by side, named after their source; they measure the same thing (tokens per second
of one stream) from different covariates. Source: MODEL section 2, equations 8, 9 and 11. Arguments broadcast.
"""

from __future__ import annotations

import numpy as np

from forecast.equations._smooth import Array, Namespace
from forecast.schema import JULIAN_YEAR_SECONDS

REFERENCE_LAYERS = 100.0  # `log_stream_speed_2024` in the schema
REFERENCE_YEAR = 2024.0
REFERENCE_READ_SECONDS = 1e-3
LN10 = float(np.log(10.0))


def steinhardt2022(layers: Array, utilization: Array) -> Array:
    """Tokens per second of one stream, 1400 (80/layers) (0.4/utilization)^2.

    Steinhardt 2022: Chinchilla (80 layers) at 1400 tokens/s with at least 40% of peak used; time is linear in depth,
    width is free, and cutting utilization by q buys q^2. His erratum: "could be off by an order of magnitude".

    >>> steinhardt2022(80.0, 0.4), round(steinhardt2022(160.0, 0.2))
    (1400.0, 2800)
    """
    return 1400.0 * (80.0 / layers) * (0.4 / utilization) ** 2


def pope2022(layers: Array, communication_ratio: Array = 1.0) -> Array:
    """Tokens per second of one stream at low latency, 118 layers in 29 ms for PaLM 540B (Pope et al. 2022).

    `communication_ratio` is `communication_seconds_per_layer` over that of PaLM 540B on its 64 chips.

    >>> round(pope2022(118.0), 1), round(pope2022(236.0), 1)
    (34.5, 17.2)
    """
    return (118.0 / layers) / (0.029 * communication_ratio)


def communication_seconds_per_layer(
    batch: Array,
    sequence: Array,
    feedforward_width: Array,
    embedding_width: Array,
    chips: Array,
    bandwidth: Array,
) -> Array:
    """Time that chips spend exchanging activations in one layer, sqrt(B L F / n) 4 E / bandwidth (s).

    Parameters
    ----------
    batch, sequence : streams decoded together, and tokens of each per pass
    feedforward_width, embedding_width : F, E
    chips : n
    bandwidth : network bandwidth of a chip (activations/s)

    Twice the width on four times the chips costs a factor sqrt(2) (S4, footnote 4):

    >>> wide = communication_seconds_per_layer(64, 1, 4e4, 2e4, 256, 1e11)
    >>> round(wide / communication_seconds_per_layer(64, 1, 2e4, 1e4, 64, 1e11), 6)
    1.414214
    """
    return (batch * sequence * feedforward_width / chips) ** 0.5 * 4.0 * embedding_width / bandwidth


def log_fitted(
    layers: Array,
    weight_read_seconds: Array,
    year: Array,
    log_speed_2024: Array,
    depth_exponent: Array,
    bandwidth_exponent: Array,
    growth: Array,
    growth_years: Array,
    log_offset: Array = 0.0,
    *,
    xp: Namespace = np,
) -> Array:
    """ln tokens per second of one stream, before any change of operating point; arguments as for `fitted`.

    s0 - delta ln(layers/100) - b ln(weight_read_seconds/1 ms) + growth min(year - 2024, growth_years) + offset.

    >>> float(log_fitted(100.0, 1e-3, 2024.0, 4.0, 1.0, 0.5, 0.3, 10.0))
    4.0
    """
    technique = growth * xp.minimum(year - REFERENCE_YEAR, growth_years)
    depth = depth_exponent * xp.log(layers / REFERENCE_LAYERS)
    reading = bandwidth_exponent * xp.log(weight_read_seconds / REFERENCE_READ_SECONDS)
    return log_speed_2024 - depth - reading + technique + log_offset


def fitted(
    layers: Array,
    weight_read_seconds: Array,
    year: Array,
    log_speed_2024: Array,
    depth_exponent: Array,
    bandwidth_exponent: Array,
    growth: Array,
    growth_years: Array,
    log_offset: Array = 0.0,
    utilization_ratio: Array = 1.0,
    utilization_exponent: Array = 0.0,
    *,
    xp: Namespace = np,
) -> Array:
    """Tokens per second of one stream, learned from published decoding speeds.

    Parameters
    ----------
    layers : sequential depth
    weight_read_seconds : active bytes / (chips x memory bandwidth), the time to read the weights once (s)
    year : decimal year
    log_speed_2024 : ln tokens/s of 100 layers read in 1 ms, at 2024.0
    depth_exponent, bandwidth_exponent : delta, b
    growth : gain from hardware and technique (ln per year), for `growth_years` from 2024.0
    log_offset : ln tokens/s of the setting and of this deployment
    utilization_ratio : utilization over that of the data; speed goes as its -`utilization_exponent`th power

    >>> speed = fitted(100.0, 1e-5, 2030.0, 2.0, 1.0, 0.5, 0.2, 10.0)
    >>> round(float(speed))
    245
    """
    data = (layers, weight_read_seconds, year)
    law = (log_speed_2024, depth_exponent, bandwidth_exponent, growth, growth_years, log_offset)
    return xp.exp(log_fitted(*data, *law, xp=xp) - utilization_exponent * xp.log(utilization_ratio))


def parallel_streams(tokens_per_second: Array, stream_tokens_per_second: Array) -> Array:
    """Streams that run at once: tokens per second of the fleet over those of one stream.

    >>> parallel_streams(2.25e7, 50.0)
    450000.0
    """
    return tokens_per_second / stream_tokens_per_second


def human_equivalents(tokens_per_second: Array, tokens_per_researcher_year: Array) -> Array:
    """Researchers whose yearly output the fleet's tokens match: tokens per calendar year over a researcher's.

    AIs work all year; `tokens_per_researcher_year` counts working hours only (tokens/yr).

    >>> human_equivalents(1e7, 3.15576e7)
    10000000.0
    """
    return tokens_per_second * JULIAN_YEAR_SECONDS / tokens_per_researcher_year


def serial_speed(stream_tokens_per_second: Array, tokens_per_researcher_year: Array) -> Array:
    """Speed of one stream relative to a person: its tokens per calendar year over a researcher's.

    >>> round(serial_speed(50.0, 1.15e8), 1)
    13.7
    """
    return human_equivalents(stream_tokens_per_second, tokens_per_researcher_year)


def inference_growth_factor(
    log10_effective_flop: Array, log10_effective_flop_needed: Array, growth_excess: Array, *, xp: Namespace = np
) -> Array:
    """Gain in tokens per FLOP of the smallest sufficient model beyond its size, 10^((eta - 1/2)(E - E_needed)_+).

    `growth_excess` is eta - 1/2: what distillation and sparsity add to the gain of 1/2 that a smaller model brings.
    Both compute arguments are log10 FLOP.

    >>> float(inference_growth_factor(32.0, 30.0, 0.25)), float(inference_growth_factor(29.0, 30.0, 0.25))
    (3.1622776601683795, 1.0)
    """
    beyond = xp.maximum(log10_effective_flop - log10_effective_flop_needed, 0.0)
    return xp.exp(LN10 * growth_excess * beyond)
