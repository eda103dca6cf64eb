"""What a research organisation achieves with constant people, compute and time, relative to NormalCorp.

Research of MODEL section 4 at constant inputs, S^beta = 1 + beta g M t, with what S0 adds to plain inputs: practice that
is specialised to today's ratio of labour to compute, and runs that take longer than the organisation exists. ``p`` maps
the names of ``forecast.schema`` to values, with ``h100_flop_per_second`` beside them; entries and the numbers of an
`Organisation` broadcast. Labour, compute and output are relative to the leading developer at `as_of`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np
from scipy.special import log_ndtr

from forecast.equations import research, takeoff, trends
from forecast.equations._smooth import log1p_ratio
from forecast.equations.trends import LN10, Parameters
from forecast.schema import DAY_SECONDS, JULIAN_YEAR_SECONDS

DAYS_PER_YEAR = JULIAN_YEAR_SECONDS / DAY_SECONDS
PRACTICES = ("dropped_in", "surplus_idle", "evolved")
NODES, WEIGHTS = np.polynomial.legendre.leggauss(32)
NODES, WEIGHTS = (NODES + 1.0) / 2.0, WEIGHTS / 2.0  # on 0..1
REACH = 40.0  # e^-40 of an integrand is below its rounding
TERMS = 20  # of the exponential's series at arguments up to 1: the next one is 1/21!
TINY = 1e-200
LEAST_LOG = -30.0  # below it log1p(x) is x to the last digit


@dataclass(frozen=True)
class Organisation:
    """A research organisation; numbers are floats or arrays over draws.

    Attributes
    ----------
    researchers : people (or AIs) that work in parallel
    h100 : compute while it works, in H100
    years : calendar time that it has
    quality : output of one researcher relative to one of NormalCorp
    serial_speed : of its researchers, human = 1
    automated : AIs have the ideas and change the practice, both at their own speed
    human_ideas : NormalCorp's people have the ideas and AIs implement: the latency ceiling binds
    source : where the numbers come from
    """

    name: str
    researchers: Any
    h100: Any
    years: Any
    quality: Any = 1.0
    serial_speed: Any = 1.0
    automated: bool = False
    human_ideas: bool = False
    source: str = ""


class Frictions(NamedTuple):
    """What keeps an organisation from the output of its plain inputs, all in ln.

    Attributes
    ----------
    log_fitting : share of its compute whose runs end within its time
    log_practice : practice factor, averaged over its time
    idle_labour, idle_compute : how far it leaves effective labour and compute unused, at least 0
    """

    log_fitting: Any
    log_practice: Any
    idle_labour: Any = 0.0
    idle_compute: Any = 0.0


class Relative(NamedTuple):
    """An organisation's ln progress (ln S) and ln research (S^beta - 1) relative to NormalCorp."""

    log_progress: Any
    log_research: Any


def log_labour(organisation: Organisation, p: Parameters) -> Any:
    """ln of quality n^lambda v, relative to the leader's people: quality counts like speed, one by one."""
    exponent = p["parallelization_exponent"]
    head_count = np.log(organisation.researchers) - trends.log_leader_researchers(p["as_of_year"], p)
    return exponent * head_count + np.log(organisation.quality) + np.log(organisation.serial_speed)


def log_compute(organisation: Organisation, p: Parameters) -> Any:
    """ln of compute relative to the leader's fleet, both at peak dense 16-bit."""
    fleet = LN10 * trends.log10_fleet(p["as_of_year"], p)
    return np.log(organisation.h100) + np.log(p["h100_flop_per_second"]) - fleet


def adaptation(organisation: Organisation, p: Parameters) -> Any:
    """Adaptation rate times years: how many e-folds of its distance practice covers in the organisation's time."""
    share = 1.0 if organisation.automated else 0.0
    return takeoff.adaptation_speed(share, np.log(organisation.serial_speed), p) * organisation.years


def log_mean_practice_factor(mismatch: Any, penalty: Any, adaptation: Any) -> Any:
    """ln of the mean over time of exp(-psi (x - y)^2 / 2) while practice y goes from 0 to x at a constant rate.

    With c = psi x^2/2 and u = 2 r t it is the mean of exp(-c e^-u) over 0 <= u <= 2 r T, (E1(c e^-2rT) - E1(c)) / 2rT.
    That difference cancels for short times and underflows for a great mismatch; here Gauss-Legendre takes the part where
    c e^-u exceeds 1 and the power series the rest.

    Parameters
    ----------
    mismatch : x, ln of the labour:compute ratio relative to today's
    penalty : psi
    adaptation : r T, `adaptation`

    Examples
    --------
    >>> round(float(log_mean_practice_factor(3.0, 0.2, 0.0)), 6)  # nothing is learned: -psi x^2/2
    -0.9
    >>> round(float(log_mean_practice_factor(3.0, 0.2, 1.0)), 6)
    -0.366616
    """
    c = 0.5 * penalty * mismatch**2
    span = np.maximum(2.0 * adaptation, TINY)
    log_c = np.log(np.maximum(c, TINY))
    turn = np.clip(log_c, 0.0, span)  # here the exponent has fallen to 1, or time is up
    z = c * np.exp(-turn)
    start = np.clip(log_c - np.log(z + REACH), 0.0, turn)  # before it the factor is nothing
    width = turn - start
    steep = sum(w * np.exp(z - c * np.exp(-(start + width * u))) for u, w in zip(NODES, WEIGHTS, strict=True))
    small = np.minimum(z, 1.0)
    flat = np.exp(small) * _mean_of_series(small, np.maximum(span - turn, TINY))
    return np.log(width / span * steep + (span - turn) / span * flat) - z


def _mean_of_series(z: Any, span: Any) -> Any:
    """Mean of exp(-z e^-u) over 0 <= u <= span for z <= 1, from its power series in z e^-u."""
    term, total = 1.0, 1.0
    for k in range(1, TERMS):
        term = -term * z / k
        total = total - term * np.expm1(-k * span) / (k * span)
    return total


def log_fitting_share(days: Any, run_days: Any, p: Parameters) -> Any:
    """ln of the share of compute in runs that end within `days`.

    The share `largest_run_share` of compute is in the full training run, which takes `run_days` and fits or not; the
    rest is in experiments of lognormal durations. An experiment counts by its duration, for that is the compute it takes
    on a given number of chips: with scatter sd the durations so weighted are lognormal again, e^(sd^2) longer. Lost
    compute is taken as lost: longer runs hold what shorter ones cannot show.

    >>> p = {"largest_run_share": 0.4, "experiment_days": 2.0, "experiment_days_scatter": 1.0}
    >>> days = 2.0 * np.e  # half of the experiments by duration
    >>> [round(float(np.exp(log_fitting_share(days, run, p))), 6) for run in (5.0, 6.0)]
    [0.7, 0.3]
    """
    scatter = p["experiment_days_scatter"]
    experiments = log_ndtr((np.log(days) - np.log(p["experiment_days"])) / scatter - scatter)
    without_run = np.log1p(-p["largest_run_share"]) + experiments
    return np.where(run_days <= days, np.logaddexp(without_run, np.log(p["largest_run_share"])), without_run)[()]


def frictions(organisation: Organisation, normal: Organisation, practice: str, p: Parameters) -> Frictions:
    """What hinders an organisation under one of `PRACTICES`.

    dropped_in : practice starts at today's and follows at the adaptation rate; runs have today's durations
    surplus_idle : the same, but it leaves as much unused of the input that it has too much of as serves it best
    evolved : practice has always fitted; durations shrink in proportion to its time, where that is less than NormalCorp's
    """
    run_days = np.exp(trends.log_training_seconds(p["as_of_year"], p)) / DAY_SECONDS
    if practice == "evolved":
        days = DAYS_PER_YEAR * np.maximum(organisation.years, normal.years)  # the same as shrinking the durations
        return Frictions(log_fitting_share(days, run_days, p), 0.0)
    log_fitting = log_fitting_share(DAYS_PER_YEAR * organisation.years, run_days, p)
    x = takeoff.practice_target(log_labour(organisation, p), 0.0, log_compute(organisation, p), p)
    efolds = adaptation(organisation, p)

    def idling(fraction: Any) -> Frictions:
        """With enough left idle to take away this fraction of the mismatch."""
        factor = log_mean_practice_factor((1.0 - fraction) * x, p["mismatch_penalty"], efolds)
        labour = fraction * p["parallelization_exponent"] * np.maximum(x, 0.0)
        return Frictions(log_fitting, factor, labour, fraction * np.maximum(-x, 0.0))

    if practice == "dropped_in":
        return idling(0.0)
    return idling(maximiser(lambda fraction: log_research(organisation, idling(fraction), normal, p)))


def maximiser(value: Callable[[Any], Any], points: int = 12, grids: int = 3) -> Any:
    """Where in 0..1 `value` is largest, entry by entry: the best of a grid, then of ever finer ones about it.

    >>> round(float(maximiser(lambda x: -((x - 0.3) ** 2))), 2)
    0.3
    """
    centre, reach = np.asarray(0.5), 0.5
    for _ in range(grids):
        candidates = [np.clip(centre + reach * k, 0.0, 1.0) for k in np.linspace(-1.0, 1.0, points + 1)]
        values = [value(x) for x in candidates]
        shape = np.shape(values[0])
        stacked = np.stack([np.broadcast_to(x, shape) for x in candidates])
        centre = np.take_along_axis(stacked, np.argmax(values, axis=0)[None], axis=0)[0]
        reach = 2.0 * reach / points
    return centre


def log_research(organisation: Organisation, held_back: Frictions, normal: Organisation, p: Parameters) -> Any:
    """ln of M t, the research an organisation does, in years of the leader's at `as_of`."""
    labour = log_labour(organisation, p) - held_back.idle_labour
    compute = log_compute(organisation, p) - held_back.idle_compute + held_back.log_fitting
    output = log_output(labour, compute, p)
    if organisation.human_ideas:
        people = log_output(log_labour(normal, p), compute, p)
        output = people + takeoff.log_bounded_speedup(output - people, 0.0, p)
    return output + held_back.log_practice + np.log(organisation.years)


def log_output(labour: Any, compute: Any, p: Parameters) -> Any:
    """ln M from ln labour and ln compute, with the CES of the posterior."""
    rho = research.rho_from_infinite_labour(p["infinite_labour_multiple"], p["compute_share"])
    return research.log_ces(labour, compute, p["compute_share"], rho, p["parallelization_exponent"])


def log_progress(log_research: Any, p: Parameters) -> Any:
    """ln of ln S after research M t, S^beta = 1 + beta g M t, however small it is.

    >>> p = {"parallelization_exponent": 0.5, "returns": 1.0, "software_doubling_months": 12.0}
    >>> round(float(np.exp(log_progress(np.log(8.0), p))), 6)  # 2 ln(1 + 4 ln 2)
    2.655523
    """
    floored = np.maximum(log_research, LEAST_LOG)
    found = log1p_ratio(trends.software_growth(p) * np.exp(floored), takeoff.difficulty_exponent(p))
    return np.log(found) + (log_research - floored)


def relative(
    organisation: Organisation, own: Frictions, normal: Organisation, base: Frictions, p: Parameters
) -> Relative:
    """Progress and research relative to NormalCorp, given what hinders either.

    Progress is ln S over the organisation's own time. Research is S^beta - 1: at constant inputs the time that NormalCorp
    would need for the same S, over the time it has.
    """
    done, reference = log_research(organisation, own, normal, p), log_research(normal, base, normal, p)
    return Relative(log_progress(done, p) - log_progress(reference, p), done - reference)


def attribution(
    organisation: Organisation, own: Frictions, normal: Organisation, base: Frictions, p: Parameters
) -> tuple[Any, Any, Any]:
    """ln progress relative to NormalCorp, split into practice, runs that do not fit, and plain inputs.

    Shapley values over the three: each is the organisation's own or NormalCorp's, so they add up to the whole exactly.
    Idle inputs belong to practice, a latency ceiling to inputs.
    """

    def value(practised: bool, ran: bool, had: bool) -> Any:
        mixed = (own if practised else base)._replace(log_fitting=(own if ran else base).log_fitting)
        return log_progress(log_research(organisation if had else normal, mixed, normal, p), p)

    practised, ran, had = shapley(value, 3)
    return practised, ran, had


def shapley(value: Callable[..., Any], players: int) -> list[Any]:
    """Average gain in `value` from switching each of its Boolean arguments on, over all orders of switching.

    >>> shapley(lambda a, b: 2.0 * a + 4.0 * (a and b), 2)
    [4.0, 2.0]
    """
    known: dict[frozenset[int], Any] = {}

    def of(on: frozenset[int]) -> Any:
        if on not in known:
            known[on] = value(*(player in on for player in range(players)))
        return known[on]

    orders = list(permutations(range(players)))
    return [
        sum(of(frozenset(order[: order.index(k) + 1])) - of(frozenset(order[: order.index(k)])) for order in orders)
        / len(orders)
        for k in range(players)
    ]


def reached_from(value: Callable[[Any], Any], grid: Any, values: Any, target: Any, steps: int = 32) -> Any:
    """x from which on, up to the end of a rising grid, `value` reaches `target`; +inf where it does not at the end.

    Points of the grid first, then bisection within one interval.

    Parameters
    ----------
    value : takes and returns arrays of the shape of `target`
    values : `value` at each point of the grid, on the first axis; the others broadcast with `target`

    Examples
    --------
    >>> grid = np.arange(4.0)
    >>> reached_from(np.square, grid, np.square(grid)[:, None], np.array([2.25, 10.0])).round(6)
    array([1.5, inf])
    """
    onwards = np.logical_and.accumulate((values >= target)[::-1])[::-1]
    first = onwards.argmax(axis=0)
    low, high = grid[np.maximum(first - 1, 0)], grid[first]
    for _ in range(steps):
        middle = 0.5 * (low + high)
        enough = value(middle) >= target
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(onwards.any(axis=0), high, np.inf)


def pretraining_gain(factor: Any, p: Parameters) -> Any:
    """OOM of effective compute from scaling the record run of `as_of` up by `factor` at fixed software.

    Tokens per parameter stay as they are until text runs out; the penalty for not being compute-optimal is taken off.
    """
    flop = trends.log10_training_flop(p["as_of_year"], p)
    ratio = trends.log_tokens_per_param_of_draw(p["as_of_year"], flop, p)
    scaled = flop + np.log(factor) / LN10
    now, then = (trends.effective_compute_penalty(x, ratio, p) for x in (flop, scaled))
    return scaled - then - (flop - now)
