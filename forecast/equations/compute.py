"""Training compute, model size, and the tokens per second that the hardware of a training run can serve.

Source: MODEL section 2, equations 1 to 6 and 10; the argument is Finnveden 2023 (S2, S4). Arguments broadcast.
"""

from __future__ import annotations

from forecast.equations._smooth import Array
from forecast.schema import JULIAN_YEAR_SECONDS

USEFUL_FLOP_PER_PARAM_TOKEN = 2.0  # one multiplication and one addition per parameter and token, forward
FORWARD_PASSES_PER_TRAINING_TOKEN = 3.0  # forward, and a backward pass of twice its cost


def training_flop(
    params: Array,
    tokens_per_param: Array,
    tokens_per_datapoint: Array = 1.0,
    flop_per_param_token: Array = USEFUL_FLOP_PER_PARAM_TOKEN,
) -> Array:
    """Compute of a training run, C = 3 k m H p^2 (FLOP).

    Parameters
    ----------
    params : p, active parameters
    tokens_per_param : m, data points per parameter
    tokens_per_datapoint : H, token-equivalents per data point; 1 is next-token prediction
    flop_per_param_token : k; 2 counts useful FLOP, 2/utilization the hardware's peak

    Examples
    --------
    Chinchilla, 70 billion parameters on 1.4 trillion tokens:

    >>> training_flop(7e10, 20.0)
    5.88e+23
    """
    factor = FORWARD_PASSES_PER_TRAINING_TOKEN * flop_per_param_token
    return factor * tokens_per_param * tokens_per_datapoint * params**2


def params_from_training_flop(
    training_flop: Array,
    tokens_per_param: Array,
    tokens_per_datapoint: Array = 1.0,
    flop_per_param_token: Array = USEFUL_FLOP_PER_PARAM_TOKEN,
) -> Array:
    """Parameters that a compute budget trains, p = sqrt(C / (3 k m H)); the inverse of `training_flop`.

    `training_flop` is in FLOP, counted as `flop_per_param_token` counts them.

    >>> params_from_training_flop(5.88e23, 20.0)
    70000000000.0
    """
    factor = FORWARD_PASSES_PER_TRAINING_TOKEN * flop_per_param_token
    return (training_flop / (factor * tokens_per_param * tokens_per_datapoint)) ** 0.5


def cluster_training_flop(flop_per_second: Array, utilization: Array, training_seconds: Array) -> Array:
    """Useful compute of a cluster, C = u F N (FLOP): peak FLOP/s, realised share of peak, seconds.

    >>> cluster_training_flop(1e20, 0.4, 1e7)
    4e+26
    """
    return utilization * flop_per_second * training_seconds


def tokens_per_second(flop_per_second: Array, utilization: Array, params: Array) -> Array:
    """Tokens per second that hardware serves, u F / (2 p): peak FLOP/s, realised share of peak, parameters.

    >>> tokens_per_second(1e21, 0.5, 2.5e12)
    100000000.0
    """
    return utilization * flop_per_second / (USEFUL_FLOP_PER_PARAM_TOKEN * params)


def tokens_per_second_after_training(
    params: Array,
    training_seconds: Array,
    tokens_per_param: Array = 20.0,
    tokens_per_datapoint: Array = 1.0,
    deployment_over_training_utilization: Array = 1.0,
) -> Array:
    """Token-equivalents per second on the training cluster once it is reallocated, (3 m p H / N) u_deploy/u_train.

    Parameters
    ----------
    params : p, active parameters
    training_seconds : N, duration of the training run (s)
    tokens_per_param : m, data points per parameter; 20 is the ratio of Chinchilla (Hoffmann et al. 2022)
    tokens_per_datapoint : H, token-equivalents per data point; 1 is next-token prediction
    deployment_over_training_utilization : 1 is the assumption of S2

    Examples
    --------
    "200 million token-equivalents per second" of S2:

    >>> round(tokens_per_second_after_training(params=1e14, training_seconds=3e7))
    200000000
    """
    token_passes = FORWARD_PASSES_PER_TRAINING_TOKEN * tokens_per_param * params * tokens_per_datapoint
    return token_passes / training_seconds * deployment_over_training_utilization


def world_tokens_per_second(
    flop_per_second: Array,
    training_seconds: Array,
    tokens_per_param: Array,
    tokens_per_datapoint: Array,
    flop_per_param_token: Array,
    share: Array = 1.0,
) -> Array:
    """Token-equivalents per second of the largest model the world could train, run where it was trained.

    F = `share` x `flop_per_second` (peak FLOP/s) for N = `training_seconds` trains p = sqrt(F N / (3 k m H)),
    then runs F/(k p). `flop_per_param_token` is k against peak, 2/utilization.

    "About 23 million" of S2, from 25% of 4e21 FLOP/s:

    >>> round(world_tokens_per_second(4e21, 3e7, 20.0, 1.0, 4.0, share=0.25) / 1e6, 1)
    22.4
    """
    used = share * flop_per_second
    params = params_from_training_flop(
        used * training_seconds, tokens_per_param, tokens_per_datapoint, flop_per_param_token
    )
    return used / (flop_per_param_token * params)


def longest_training_run(
    hardware_growth: Array, software_growth: Array, spending_growth: Array = 0.0, *, budgets: bool = False
) -> Array:
    """Duration beyond which a run is overtaken by one started later, 1/g (s).

    g is the sum of the growth rates (ln per year) that a later starter enjoys: hardware price-performance and
    algorithms; with `budgets` also spending. Source: Sevilla et al. 2022, "The longest training run".

    >>> round(longest_training_run(0.28, 0.54) / 31_557_600 * 12, 1)
    14.6
    >>> round(longest_training_run(0.28, 0.54, 1.03, budgets=True) / 31_557_600 * 12, 1)
    6.5
    """
    growth = hardware_growth + software_growth
    return JULIAN_YEAR_SECONDS / (growth + spending_growth if budgets else growth)


def tokens_per_researcher_second_at_parity(tokens_per_second: Array, researchers: Array) -> Array:
    """Tokens per second of all AIs for each human AI researcher (tokens/s/person).

    When AIs do as much research as people, a researcher's second is worth this many tokens.

    >>> tokens_per_researcher_second_at_parity(2.5e7, 5e4)
    500.0
    """
    return tokens_per_second / researchers
