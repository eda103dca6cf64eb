"""What must hold whatever the numbers: labour adds up, more of an input never slows research, caps and ceilings bind.

Orderings between two courses of compute are tested draw by draw, the draws being common to both. Three causes may turn
them round, and each is switched off in turn: practice that lags behind a faster course (psi), a larger run that knows
hardly more once text has run out while its model is dearer and slower to run, and compute that shrinks or people who leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from round_numbers import YEAR_SECONDS, round_parameters

from forecast.dynamics import all_scenarios, readouts, simulate
from forecast.dynamics.events import time_of_level
from forecast.equations import research, takeoff, trends
from forecast.equations.takeoff import Milestones
from forecast.equations.yearly import quantities
from forecast.results import moments
from forecast.scenarios import Scenario, load_scenario, load_scenarios
from forecast.side_draws import parameters_with

YEARS = list(range(2026, 2046))
SCENARIOS = ("baseline", "software_only", "hardware_leap", "no_slowdown")
COMPUTE = ("log10_training_flop_2024", "log10_fleet_flop_per_second_2025", "log10_world_flop_per_second_2025")
STEP_OOM = 1e-3  # two paths that ought to touch part by so much at the shipped step; a fourth of it leaves 5e-6
LN2, LN10 = float(np.log(2.0)), float(np.log(10.0))

Draws = dict[str, Any]
SHARES, COMPLEMENTARITY = st.integers(1, 99).map(lambda k: k / 100.0), st.floats(0.3, 3.0)
LOG_PEOPLE, LOG_AIS = st.floats(-2.0, 12.0), st.floats(-5.0, 30.0)

# --- labour -----------------------------------------------------------------------------------------------------


def task_labour(share: Any, log_people: float, log_ais: float, complementarity: float) -> Any:
    return takeoff.log_task_labour(share, log_people, log_ais, round_parameters(task_complementarity=complementarity))


@given(SHARES, LOG_PEOPLE, LOG_AIS, COMPLEMENTARITY)
def test_labour_is_shared_out_over_tasks_and_none_is_lost(
    share: float, log_people: float, log_ais: float, complementarity: float
) -> None:
    """A hundred tasks: AIs spread over those they can do, people over the rest; output is the mean to the power rho."""
    ais = round(100 * share)
    each = np.repeat([np.exp(log_ais) / share, np.exp(log_people) / (1.0 - share)], [ais, 100 - ais])
    assert each.mean() == pytest.approx(np.exp(log_people) + np.exp(log_ais), rel=1e-12)
    log_done = -np.log(np.mean((each / each.max()) ** -complementarity)) / complementarity + np.log(each.max())
    found = task_labour(share, log_people, log_ais, complementarity)
    assert found == pytest.approx(max(log_done, log_people), abs=1e-9)
    assert log_people <= found <= np.logaddexp(log_people, log_ais) + 1e-9


@given(LOG_PEOPLE, st.floats(-4.0, 4.0), COMPLEMENTARITY)
def test_no_labour_is_idle_where_a_task_gets_as_much_of_ais_as_of_people(
    log_people: float, log_ratio: float, complementarity: float
) -> None:
    share = 1.0 / (1.0 + np.exp(-log_ratio))
    found = task_labour(share, log_people, log_people + log_ratio, complementarity)
    assert found == pytest.approx(np.logaddexp(log_people, log_people + log_ratio), abs=1e-9)


@given(SHARES, SHARES, LOG_PEOPLE, st.floats(-4.0, 30.0), COMPLEMENTARITY)
def test_more_tasks_for_ais_help_as_long_as_a_task_gets_more_labour_from_them_than_from_people(
    one: float, other: float, log_people: float, log_ratio: float, complementarity: float
) -> None:
    """Beyond l_AI/(l_h + l_AI) the equation still gives AIs all they can do, and people idle: nothing is promised."""
    even = 1.0 / (1.0 + np.exp(-log_ratio))
    less, more = sorted(even * share for share in (one, other))
    found = [task_labour(share, log_people, log_people + log_ratio, complementarity) for share in (less, more)]
    assert found[1] >= found[0] - 1e-9


@given(SHARES, LOG_PEOPLE, LOG_AIS, COMPLEMENTARITY, st.floats(0.0, 5.0))
def test_more_people_and_more_ais_never_do_less(
    share: float, log_people: float, log_ais: float, complementarity: float, more: float
) -> None:
    here = task_labour(share, log_people, log_ais, complementarity)
    assert task_labour(share, log_people + more, log_ais, complementarity) >= here - 1e-9
    assert task_labour(share, log_people, log_ais + more, complementarity) >= here - 1e-9


@given(LOG_PEOPLE, st.floats(-100.0, 300.0), COMPLEMENTARITY)
def test_without_automation_people_work_and_with_all_of_it_whoever_is_more(
    log_people: float, log_ratio: float, complementarity: float
) -> None:
    """However many more: at full automation nobody waits for a last task that people do."""
    ends = task_labour(np.array([0.0, 1.0]), log_people, log_people + log_ratio, complementarity)
    np.testing.assert_allclose(ends, [log_people, log_people + max(log_ratio, 0.0)], rtol=0, atol=1e-9)


def test_ai_labour_is_that_of_the_streams_that_research_is_given(p: Draws) -> None:
    """n^lambda v, from the streams and the serial speed that are reported by year."""
    year, log_s = 2035.5, 4.0 * LN10
    now = trends.effective_flop_on_trend(p["as_of_year"], p)
    at = takeoff.milestones(now, p)
    around = takeoff.surroundings(year, p)
    on = takeoff.deployed(takeoff.effective_flop(log_s, around), around, at, p)
    log_people, log_labour, _ = takeoff.helped_labour(1.0, around, on, p)
    told = quantities(year, np.full(now.shape, log_s), at, p)
    workers = p["research_fleet_share"] * 10.0 ** told["log10_parallel_streams"]
    ais = research.labour(workers, told["serial_speed"], p["parallelization_exponent"])
    np.testing.assert_allclose(log_labour, np.maximum(np.log(ais), log_people), rtol=1e-9)


# --- research output --------------------------------------------------------------------------------------------

PRODUCTION = st.fixed_dictionaries(
    {
        "compute_share": st.floats(0.05, 0.95),
        "infinite_labour_multiple": st.floats(1.11, 1e5),
        "parallelization_exponent": st.floats(0.05, 1.0),
    }
)
LABOUR, COMPUTE_RATIO = st.floats(-8.0, 40.0), st.floats(-8.0, 8.0)


@given(PRODUCTION, LABOUR, COMPUTE_RATIO, st.floats(0.0, 5.0), st.floats(1.0, 10.0))
def test_output_never_falls_with_labour_compute_or_what_infinite_labour_is_worth(
    production: dict[str, float], labour: float, compute: float, more: float, factor: float
) -> None:
    """The last because a mean to a power rises with the power, and rho = ln s/ln A."""
    p = round_parameters(**production)
    here = takeoff.log_output(labour, compute, p)
    easier = p | {"infinite_labour_multiple": factor * p["infinite_labour_multiple"]}
    slack = 1e-9 * (1.0 + abs(here))
    for there in (
        takeoff.log_output(labour + more, compute, p),
        takeoff.log_output(labour, compute + more, p),
        takeoff.log_output(labour, compute, easier),
    ):
        assert there >= here - slack


@given(PRODUCTION, st.floats(-5.0, 5.0))
def test_each_input_alone_has_its_asymptote(production: dict[str, float], other: float) -> None:
    """Infinite labour is worth A times compute's own, infinite compute B = (1-s)^(1/rho) times labour's own."""
    p = round_parameters(**production)
    rho = research.rho_from_infinite_labour(p["infinite_labour_multiple"], p["compute_share"])
    exponent, plenty = p["parallelization_exponent"], -300.0 / rho
    log_a, log_b = research.log_asymptotes(rho, p["compute_share"])
    much_labour = takeoff.log_output(exponent * other + plenty, other, p)
    assert much_labour == pytest.approx(exponent * other + log_a, rel=1e-9, abs=1e-9)
    much_compute = takeoff.log_output(other, (other + plenty) / exponent, p)
    assert much_compute == pytest.approx(other + log_b, rel=1e-9, abs=1e-9 * plenty)


@given(st.floats(0.01, 0.99), st.one_of(st.just(0.0), st.floats(-20.0, 0.9)), LABOUR, LABOUR)
def test_labour_and_compute_may_change_places(share: float, rho: float, one: float, other: float) -> None:
    here = research.log_ces(one, other, share, rho)
    assert research.log_ces(other, one, 1.0 - share, rho) == pytest.approx(here, rel=1e-9, abs=1e-9)


def rate(flop: float, fleet: float = 0.0, people: float = 0.0, **changes: Any) -> float:
    """ln of the rate of research at 2027.0, with more fleet (OOM) and people (ln) than the trends have."""
    p = round_parameters(**changes)
    at = Milestones(now=28.0, full=31.0, twenty=27.0)
    around = takeoff.surroundings(2027.0, p)
    around = around._replace(log10_fleet=around.log10_fleet + fleet, log_researchers=around.log_researchers + people)
    on = takeoff.deployed(flop, around, at, p)
    found = takeoff.research(flop, around, on, at, trends.log10_fleet(2025.0, p), p)
    return float(found.log_people_only + found.log_speedup)


HELPFUL = {
    "research_fleet_share": 0.25,
    "inference_discount": 1.0,
    "latency_ceiling": 30.0,
    "taste_slope": 0.5,
    "taste_ceiling": 20.0,
    "infinite_labour_multiple": 4.0,
}


@settings(deadline=None)
@given(st.floats(24.0, 45.0), st.floats(0.0, 3.0), COMPLEMENTARITY, PRODUCTION)
def test_research_never_slows_with_compute_people_or_anything_else_that_helps(
    flop: float, more: float, complementarity: float, production: dict[str, float]
) -> None:
    changes = production | {"task_complementarity": complementarity}
    here, factor = rate(flop, **changes), float(np.exp(more))
    found = {"fleet": rate(flop, fleet=more, **changes), "people": rate(flop, people=more, **changes)}
    found["tokens_per_researcher_year"] = rate(flop, tokens_per_researcher_year=YEAR_SECONDS / factor, **changes)
    found |= {name: rate(flop, **(changes | {name: factor * changes.get(name, x)})) for name, x in HELPFUL.items()}
    assert {name: there - here for name, there in found.items() if there < here - 1e-9 * (1.0 + abs(here))} == {}


# --- orderings between courses of compute -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def p(prior_run: xr.DataTree) -> Draws:
    return parameters_with(prior_run, "hardware_leap")


def outcomes(q: Draws, scenarios: Sequence[Scenario]) -> dict[str, dict[str, Any]]:
    """Read-outs and by-year series of every draw, by scenario and name."""
    found = all_scenarios(q, scenarios, YEARS)
    return {item.name: {name: value for (at, name), value in found.items() if at == item.name} for item in scenarios}


def without(p: Draws, *causes: str) -> Draws:
    """The draws with some of the causes that may turn an ordering round switched off."""
    size = p["returns"].size
    off = {"lag": {"mismatch_penalty": np.zeros(size)}, "text": {"text_stock_tokens": np.full(size, 1e30)}}
    return p | {name: value for cause in causes for name, value in off[cause].items()}


def with_more_compute(p: Draws, oom: float) -> Draws:
    return p | {name: p[name] + oom for name in COMPUTE}


@pytest.fixture(scope="module")
def as_drawn(p: Draws) -> dict[str, dict[str, Any]]:
    return outcomes(p, load_scenarios(SCENARIOS))


@pytest.fixture(scope="module")
def unhindered(p: Draws) -> dict[str, dict[str, Any]]:
    """Practice fits and text abounds."""
    return outcomes(without(p, "lag", "text"), load_scenarios(SCENARIOS))


def slower(fast: dict[str, Any], slow: dict[str, Any], name: str, slack: float = STEP_OOM) -> Any:
    """Draws in which the course that should be faster is not: earlier years, or larger gains and series."""
    sign = -1.0 if name.startswith("year") else 1.0
    with np.errstate(invalid="ignore"):  # never twice, and gains that exist only at full automation
        gap = np.nan_to_num(sign * (fast[name] - slow[name]), nan=0.0)
    result: Any = (gap < -slack).reshape(gap.shape[0], -1).any(axis=1)
    return result


ALL_ALONG = ("log10_software", "log10_effective_flop", "automated_share")


@pytest.mark.parametrize(
    ("fast", "slow"),
    [
        ("baseline", "software_only"),
        ("hardware_leap", "baseline"),
    ],
)
def test_compute_that_goes_on_growing_never_slows_software_down(
    unhindered: dict[str, dict[str, Any]], as_drawn: dict[str, dict[str, Any]], fast: str, slow: str
) -> None:
    """In no draw where practice fits and text abounds (compute shrinks in none), and in few as they are drawn.

    The best 12 months are ordered in nearly every draw only: software gained sooner is not there to be gained in them.
    """
    for name in ("first_year_gain", "years_to_1_oom", "log10_software", "log10_effective_flop"):
        assert not slower(unhindered[fast], unhindered[slow], name).any(), name
        assert slower(as_drawn[fast], as_drawn[slow], name).mean() <= 0.02, name
        assert slower(unhindered[slow], unhindered[fast], name).mean() > 0.4, name
    for found in (unhindered, as_drawn):
        assert slower(found[fast], found[slow], "best_year_gain").mean() <= 0.01


def test_where_compute_would_shrink_freezing_it_helps(p: Draws) -> None:
    """The stated exception: budgets fall faster than price-performance rises, and AIs take over after the slowdown."""
    shrinking = without(p, "lag", "text") | {"budget_growth": np.full(p["returns"].size, -0.5)}
    found = outcomes(shrinking, load_scenarios(SCENARIOS[:2]))
    late = (found["baseline"]["year_100"] > p["slowdown_year"]) & np.isfinite(found["baseline"]["year_100"])
    assert late.sum() >= 10
    assert not slower(found["software_only"], found["baseline"], "log10_software")[late].any()
    assert slower(found["baseline"], found["software_only"], "first_year_gain", slack=1e-9)[late].all()


def test_without_a_slowdown_nothing_comes_later(
    p: Draws, unhindered: dict[str, dict[str, Any]], as_drawn: dict[str, dict[str, Any]]
) -> None:
    """In draws where it is one: compute, staff and the length of runs grow faster now than after it."""
    after = trends.compute_growth_after(p)
    slows = (p["labour_growth"] >= p["researcher_growth_after"]) & (p["training_days_trend"] >= 0.0)
    for name in ("training_compute_growth", "fleet_growth", "world_compute_growth"):
        slows = slows & (p[name] >= after)
    assert slows.mean() > 0.8
    for name in ("year_20", "year_100", *ALL_ALONG):
        assert not slower(unhindered["no_slowdown"], unhindered["baseline"], name)[slows].any(), name
        assert slower(as_drawn["no_slowdown"], as_drawn["baseline"], name)[slows].mean() < 0.02, name
    assert slower(as_drawn["baseline"], as_drawn["no_slowdown"], "year_100")[slows].mean() > 0.3


@pytest.mark.parametrize("oom", [0.3, 1.0])
def test_more_compute_at_all_times_never_slows_progress(
    p: Draws, unhindered: dict[str, dict[str, Any]], as_drawn: dict[str, dict[str, Any]], oom: float
) -> None:
    """Training compute, fleet and world are larger by one factor at all times; people, and their rate, are today's.

    Held fixed is what effective compute must reach: the centre of the task-horizon regression stays where the draw has
    it. Were compute larger in the years of the data too, the same horizons would have needed more of it, E_100 would
    move along and nothing be gained. The people-only rate is that of `as_of` by definition, so that extra compute works
    through what AIs can do and how many there are, not through more experiments of people.

    A fourth cause shows in few draws of this prior, and in 0.2% of the posterior: more compute lets AIs do more tasks, and
    where they have less labour for a task than people this lowers task labour (see the first section).
    """
    free = outcomes(with_more_compute(without(p, "lag", "text"), oom), [load_scenario("baseline")])["baseline"]
    hindered = outcomes(with_more_compute(p, oom), [load_scenario("baseline")])["baseline"]
    for name in ("year_20", "year_100", *ALL_ALONG):
        assert slower(free, unhindered["baseline"], name, slack=1e-4).mean() <= 0.01, name
        assert slower(unhindered["baseline"], free, name).mean() > 0.3, name
        assert slower(hindered, as_drawn["baseline"], name).mean() <= 0.1, name


def test_draws_that_more_compute_slows_have_run_out_of_text_or_lag_behind(
    p: Draws, as_drawn: dict[str, dict[str, Any]]
) -> None:
    """Each cause alone leaves some such draws, and every one of them is of one of the two kinds."""
    found = {}
    for kept, gone in (("lag", "text"), ("text", "lag")):
        less = without(p, gone)
        base, more = (
            outcomes(q, [load_scenario("baseline")])["baseline"] for q in (less, with_more_compute(less, 0.3))
        )
        found[kept] = slower(more, base, "log10_software")
        assert 0.0 < found[kept].mean() < 0.05, kept
    hindered = outcomes(with_more_compute(p, 0.3), [load_scenario("baseline")])["baseline"]
    both = slower(hindered, as_drawn["baseline"], "log10_software")
    assert (both & ~(found["lag"] | found["text"])).mean() < 0.02  # the two add up in a few


# --- ceilings and caps ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_software_respects_its_ceiling(p: Draws, as_drawn: dict[str, dict[str, Any]], scenario: str) -> None:
    ceiling = p["log10_software_ceiling"][:, None]
    assert (as_drawn[scenario]["log10_software"] <= ceiling + 1e-9).all()
    gain = as_drawn[scenario]["best_year_gain"]
    assert (gain <= ceiling[:, 0] + 1e-9).all()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_run_stays_within_its_share_of_the_fleet(
    p: Draws, as_drawn: dict[str, dict[str, Any]], scenario: str
) -> None:
    """C <= u N phi_max F, a leap included: the run grows with the fleet and no further."""
    found = as_drawn[scenario]
    of_run = p | {"slowdown_year": np.full(p["returns"].size, np.inf)} if scenario == "no_slowdown" else p
    frozen = found["year_100"] if scenario == "software_only" else np.inf
    at = [np.minimum(year, frozen) for year in moments(YEARS, p["as_of_year"])]
    seconds = np.stack([trends.log_training_seconds(year, of_run) for year in at], axis=-1) / LN10
    room = np.log10(found["training_utilization"]) + seconds + np.log10(p["largest_run_share"])[:, None]
    if scenario == "hardware_leap":
        assert (found["log10_fleet_flop_per_second"] > as_drawn["baseline"]["log10_fleet_flop_per_second"] + 0.3).any()
    assert (found["log10_training_flop"] <= room + found["log10_fleet_flop_per_second"] + 1e-9).all()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_fleet_stays_within_its_share_of_the_world_and_a_leap_within_the_world(
    p: Draws, as_drawn: dict[str, dict[str, Any]], scenario: str
) -> None:
    """A leap may take more than omega_max of the world, never more than there is while the world grows."""
    found, share = as_drawn[scenario], np.log10(p["largest_fleet_share"])[:, None]
    fleet, world = found["log10_fleet_flop_per_second"], found["log10_world_flop_per_second"]
    leaping = np.array(moments(YEARS, p["as_of_year"])) >= found["year_100"][:, None]
    leaping = leaping & (scenario == "hardware_leap")
    growing = ((p["world_compute_growth"] >= 0.0) & (trends.compute_growth_after(p) >= 0.0))[:, None]
    assert (fleet <= world + share + 1e-9)[~leaping].all()
    assert (fleet <= world + 1e-9)[leaping & growing].all()
    assert not leaping.any() or (fleet > world + share + 1e-3)[leaping].any()


# --- a blow-up where it must be ---------------------------------------------------------------------------------


def exploding(**changes: Any) -> Draws:
    """Two equal draws whose AIs do all research from 2025.0 on, their labour in proportion to S^lambda, nothing else.

    Compute stands still and its share of research is nil; streams neither slow down with depth nor speed up with time;
    the model that does the work shrinks so that tokens per FLOP go as S^(1/2 + excess) = S. E = 28 and E_100 = 27.5.
    """
    q = round_parameters(
        log10_training_flop_2024=27.5, labour_growth=0.0, fleet_growth=0.0, world_compute_growth=0.0, training_compute_growth=0.0,
        price_performance_growth=0.05, budget_growth=-0.05, text_stock_tokens=1e40, log10_tokens_per_datapoint=0.0,
        depth_exponent=0.0, stream_speed_growth=0.0, inference_growth_excess=0.5, research_fleet_share=0.25,
        tokens_per_researcher_year=1000.0 * YEAR_SECONDS, required_horizon_minutes=2.0**8, taste_slope=0.0,
        mismatch_penalty=0.0, compute_share=1e-14, infinite_labour_multiple=np.exp(690.0), log10_software_ceiling=60.0,
        **changes,
    )  # fmt: skip
    kept = {name: np.broadcast_to(value, (2, *np.shape(value))).copy() for name, value in q.items()}
    return kept | {"as_of_year": q["as_of_year"]}


@pytest.mark.parametrize("course", ["trend", "frozen"])
@pytest.mark.parametrize(("exponent", "returns"), [(0.5, 2.0), (0.5, 1.25), (0.7, 1.6)])
def test_labour_in_proportion_to_software_blows_up_when_the_closed_form_does(
    exponent: float, returns: float, course: Any
) -> None:
    """S^-eps = 1 - eps g t, eps = lambda - beta, through the full flow: to 1e-3 of the time; the ceiling is at 60 OOM."""
    params, beyond = np.sqrt(10.0**27.5 / 120.0), 10.0**0.5
    streams = 0.25 * 10**22.5 * 0.2 / (2.0 * params) * beyond**0.5 / 100.0  # of 100 tokens a second each
    labour = (streams / 4000.0) ** exponent * 0.1  # over people's, at a tenth of their speed
    assert labour > 1.5
    eps, growth = exponent - exponent / returns, LN2 * labour
    q = exploding(parallelization_exponent=exponent, returns=returns)
    legs = simulate(q, 2045.0, course)
    found = readouts(legs, q, 2045.0)
    np.testing.assert_array_equal(found["year_100"], 2025.0)
    for oom in (1, 3, 6):
        exact = -np.expm1(-eps * oom * LN10) / (eps * growth)
        np.testing.assert_allclose(found[f"years_to_{oom}_oom"], exact, rtol=1e-3)
    assert legs.after is not None
    blown = time_of_level(legs.after, np.zeros(2)) - 2025.0  # half of the ceiling
    np.testing.assert_allclose(blown, 1.0 / (eps * growth), rtol=1e-3)


# --- a leap of nothing ------------------------------------------------------------------------------------------


def differing(one: dict[str, Any], other: dict[str, Any]) -> dict[str, int]:
    """How many draws differ, by name, where any do."""
    found = {}
    for name, value in one.items():
        same = np.isclose(value.astype(float), other[name].astype(float), rtol=1e-9, atol=1e-9, equal_nan=True)
        found[name] = int((~same).reshape(same.shape[0], -1).any(axis=1).sum())
    return {name: count for name, count in found.items() if count}


def test_a_leap_by_the_factor_1_is_the_baseline(p: Draws, as_drawn: dict[str, dict[str, Any]]) -> None:
    found = outcomes(p, [Scenario("one", "", "leap", 1.0)])["one"]
    assert differing(found, as_drawn["baseline"]) == {}
