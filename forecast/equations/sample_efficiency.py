"""Loss against model size and data, the compute-optimal model, and what departing from it costs.

The loss surface is written about the data's geometric centre (p_c, D_c), where its three terms are shares of the
loss: L = L_c [s_E + s_N (p/p_c)^-alpha + s_D (D/D_c)^-beta]. `surface_constants` gives the published form
E + A/p^alpha + B/D^beta. Everything else depends on the reducible part only, and works in logs of C = 6 p D.
Source: MODEL sections 3 (sample_efficiency) and 5; form of Hoffmann et al. 2022. Arguments broadcast.

Arguments that recur
--------------------
training_flop : C, useful compute at one token per data point (FLOP)
share_irreducible, share_params, share_tokens : s_E, s_N, s_D, summing to 1
params_exponent, tokens_exponent : alpha, beta
params_centre, tokens_centre : p_c (parameters), D_c (tokens)
"""

from __future__ import annotations

import numpy as np

from forecast.equations._smooth import Array, Namespace

LN3 = float(np.log(3.0))
REFERENCE_YEAR = 2024.0  # `tokens_per_param_2024` in the schema
FLOP_PER_PARAM_TRAINING_TOKEN = 6.0
LN10 = float(np.log(10.0))
LN6 = float(np.log(FLOP_PER_PARAM_TRAINING_TOKEN))


def loss_surface(
    params: Array,
    tokens: Array,
    loss_at_centre: Array,
    share_irreducible: Array,
    share_params: Array,
    share_tokens: Array,
    params_exponent: Array,
    tokens_exponent: Array,
    params_centre: Array,
    tokens_centre: Array,
    *,
    xp: Namespace = np,
) -> Array:
    """Loss (nats per token, or the unit of `loss_at_centre`) of `params` trained on `tokens`.

    >>> round(float(loss_surface(1e9, 2e10, 2.5, 0.6, 0.2, 0.2, 0.35, 0.35, 1e9, 2e10)), 6)
    2.5
    """
    params_term = share_params * xp.exp(-params_exponent * xp.log(params / params_centre))
    tokens_term = share_tokens * xp.exp(-tokens_exponent * xp.log(tokens / tokens_centre))
    return loss_at_centre * (share_irreducible + params_term + tokens_term)


def surface_constants(
    loss_at_centre: Array,
    share_irreducible: Array,
    share_params: Array,
    share_tokens: Array,
    params_exponent: Array,
    tokens_exponent: Array,
    params_centre: Array,
    tokens_centre: Array,
) -> tuple[Array, Array, Array]:
    """Constants E, A, B of the published form E + A/p^alpha + B/D^beta.

    >>> [round(float(x), 6) for x in surface_constants(2.5, 0.6, 0.2, 0.2, 0.5, 0.5, 1e8, 1e10)]
    [1.5, 5000.0, 50000.0]
    """
    return (
        loss_at_centre * share_irreducible,
        loss_at_centre * share_params * params_centre**params_exponent,
        loss_at_centre * share_tokens * tokens_centre**tokens_exponent,
    )


def centred_surface(
    irreducible_loss: Array,
    params_coefficient: Array,
    tokens_coefficient: Array,
    params_exponent: Array,
    tokens_exponent: Array,
    params_centre: Array,
    tokens_centre: Array,
) -> tuple[Array, Array, Array, Array]:
    """Loss at the centre and shares (s_E, s_N, s_D) of a published E, A, B; the inverse of `surface_constants`.

    >>> [round(float(x), 6) for x in centred_surface(1.5, 5000.0, 50000.0, 0.5, 0.5, 1e8, 1e10)]
    [2.5, 0.6, 0.2, 0.2]
    """
    params_term = params_coefficient * params_centre**-params_exponent
    tokens_term = tokens_coefficient * tokens_centre**-tokens_exponent
    loss = irreducible_loss + params_term + tokens_term
    return loss, irreducible_loss / loss, params_term / loss, tokens_term / loss


def _log_optimum(
    training_flop: Array,
    share_params: Array,
    share_tokens: Array,
    params_exponent: Array,
    tokens_exponent: Array,
    params_centre: Array,
    tokens_centre: Array,
    xp: Namespace,
) -> tuple[Array, Array]:
    """Return ln(p/p_c) and ln(D/D_c) of the model with the least loss at 6 p D = C.

    At the optimum alpha s_N (p/p_c)^-alpha = beta s_D (D/D_c)^-beta.
    """
    log_scale = LN6 + xp.log(params_centre) + xp.log(tokens_centre)
    log_budget = xp.log(training_flop) - log_scale
    log_ratio = xp.log(params_exponent * share_params) - xp.log(tokens_exponent * share_tokens)
    log_params = (log_ratio + tokens_exponent * log_budget) / (params_exponent + tokens_exponent)
    return log_params, log_budget - log_params


def optimal_params(
    training_flop: Array,
    share_params: Array,
    share_tokens: Array,
    params_exponent: Array,
    tokens_exponent: Array,
    params_centre: Array,
    tokens_centre: Array,
    *,
    xp: Namespace = np,
) -> Array:
    """Parameters of the model with the least loss at 6 p D = C.

    >>> round(float(optimal_params(1.2e20, 0.2, 0.2, 0.35, 0.35, 1e9, 2e10)))
    1000000000
    """
    surface = (share_params, share_tokens, params_exponent, tokens_exponent, params_centre, tokens_centre)
    log_params, _ = _log_optimum(training_flop, *surface, xp)
    return params_centre * xp.exp(log_params)


def optimal_tokens_per_param(
    training_flop: Array,
    share_params: Array,
    share_tokens: Array,
    params_exponent: Array,
    tokens_exponent: Array,
    params_centre: Array,
    tokens_centre: Array,
    *,
    xp: Namespace = np,
) -> Array:
    """Tokens per parameter of the model with the least loss at 6 p D = C.

    >>> round(float(optimal_tokens_per_param(1.2e24, 0.2, 0.2, 0.35, 0.35, 1e9, 2e10)), 6)
    20.0
    """
    surface = (share_params, share_tokens, params_exponent, tokens_exponent, params_centre, tokens_centre)
    log_params, log_tokens = _log_optimum(training_flop, *surface, xp)
    return tokens_centre / params_centre * xp.exp(log_tokens - log_params)


def reducible_loss(
    params: Array,
    tokens: Array,
    loss_at_centre: Array,
    share_params: Array,
    share_tokens: Array,
    params_exponent: Array,
    tokens_exponent: Array,
    params_centre: Array,
    tokens_centre: Array,
    *,
    xp: Namespace = np,
) -> Array:
    """Loss above its irreducible part, in the unit of `loss_at_centre`.

    >>> round(float(reducible_loss(1e9, 2e10, 2.5, 0.2, 0.2, 0.35, 0.35, 1e9, 2e10)), 6)
    1.0
    """
    shares = (0.0, share_params, share_tokens)
    shape = (params_exponent, tokens_exponent, params_centre, tokens_centre)
    return loss_surface(params, tokens, loss_at_centre, *shares, *shape, xp=xp)


def penalty_oom(
    training_flop: Array,
    params: Array,
    tokens: Array,
    share_params: Array,
    share_tokens: Array,
    params_exponent: Array,
    tokens_exponent: Array,
    params_centre: Array,
    tokens_centre: Array,
    *,
    xp: Namespace = np,
) -> Array:
    """OOM of compute that a compute-optimal model of the same loss would save.

    With u and v the logs of `params` and `tokens` over their optimum at `training_flop`, the reducible loss is
    (beta e^(-alpha u) + alpha e^(-beta v)) / (alpha + beta) times the optimal one, and the optimal one falls as
    C^(-alpha beta / (alpha + beta)). Zero at the optimum, positive wherever 6 p D = C.

    >>> abs(float(penalty_oom(1.2e20, 1e9, 2e10, 0.2, 0.2, 0.35, 0.35, 1e9, 2e10))) < 1e-12
    True
    >>> round(float(penalty_oom(1.2e20, 1e8, 2e11, 0.2, 0.2, 0.35, 0.35, 1e9, 2e10)), 6)
    0.731313
    """
    surface = (share_params, share_tokens, params_exponent, tokens_exponent, params_centre, tokens_centre)
    best_params, best_tokens = _log_optimum(training_flop, *surface, xp)
    too_large = xp.log(params / params_centre) - best_params
    too_long = xp.log(tokens / tokens_centre) - best_tokens
    params_part = tokens_exponent * xp.expm1(-params_exponent * too_large)
    tokens_part = params_exponent * xp.expm1(-tokens_exponent * too_long)
    total = params_exponent + tokens_exponent
    log_excess = xp.log1p((params_part + tokens_part) / total)
    return log_excess * total / (params_exponent * tokens_exponent * LN10)


def model_params(
    training_flop: Array,
    tokens_per_param: Array,
    tokens_per_datapoint: Array,
    max_tokens: Array,
    *,
    xp: Namespace = np,
) -> Array:
    """Parameters of a run that follows practice until text runs out, max(sqrt(C/(6 m H)), C/(6 H D_max)).

    Parameters
    ----------
    training_flop : C (FLOP)
    tokens_per_param : m, data points per parameter in practice
    tokens_per_datapoint : H, token-equivalents per data point
    max_tokens : D_max, data points there are (stock of text times useful passes)

    >>> round(float(model_params(5.88e23, 20.0, 1.0, 1e15)) / 1e9)
    70
    >>> round(float(model_params(6e32, 20.0, 1.0, 1e15)) / 1e15)
    100
    """
    passes = training_flop / (FLOP_PER_PARAM_TRAINING_TOKEN * tokens_per_datapoint)
    return xp.maximum((passes / tokens_per_param) ** 0.5, passes / max_tokens)


def log_tokens_per_param(
    year: Array, log_at_2024: Array, log_asymptote: Array, half_life: Array, *, xp: Namespace = np
) -> Array:
    """ln tokens per parameter of record-sized runs: a logistic change of practice, half of whose rest takes `half_life`.

    log_asymptote + (log_at_2024 - log_asymptote) (1 - tanh((ln 3 / 2) (year - 2024) / half_life)), the logs being ln
    tokens per parameter, `year` a decimal year and `half_life` in years from 2024.0. Long before, practice was as far
    again from the asymptote as in 2024; an exponential approach would have no bound there.

    >>> round(float(log_tokens_per_param(2025.0, 4.0, 6.0, 1.0)), 12), float(log_tokens_per_param(1900.0, 4.0, 6.0, 1.0))
    (5.0, 2.0)
    """
    way_left = 1.0 - xp.tanh(0.5 * LN3 * (year - REFERENCE_YEAR) / half_life)
    return log_asymptote + (log_at_2024 - log_asymptote) * way_left
