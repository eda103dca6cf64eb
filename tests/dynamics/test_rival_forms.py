"""Rival forms: limits, slow twins, directions, what they share with the posterior, and their mixture."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from forecast.dynamics import ai2027, davidson_houlden2025, kwa2026, takeoff
from forecast.dynamics.forms import (
    CURRENCY,
    MIXED,
    OWN,
    PARAMETERS_FROM,
    READOUTS_OF,
    RIVALS,
    compare_forms,
    rival_form,
)
from forecast.dynamics.mixture import form_weights, mixture, ranks, structure_share, weighted_quantiles
from forecast.equations.research import log_software_constant_inputs
from forecast.errors import InputError
from forecast.schema import SIDE_PARAMETERS
from forecast.side_draws import parameters_with

WINDOW_END = 2046.0
LN2, LN10 = np.log(2.0), np.log(10.0)
SPEEDUP, RETURNS = st.floats(1.0, 64.0), st.floats(0.2, 5.0)
LIMIT, EXPONENT = st.floats(20.0, 150.0), st.floats(0.05, 0.8)

# --- davidson_houlden2025 ---------------------------------------------------------------------------------------


def doublings_of_one(f: float, r: float, p: float, limit: float, start: float, horizon: float) -> list[float]:
    """Ends of the whole doublings of one draw, as the form is told."""
    ends, length, r_0 = [0.0], start / f, r
    while len(ends) <= limit and r > 0.0 and ends[-1] + length <= horizon:
        ends.append(ends[-1] + length)
        r -= r_0 / limit
        if r <= 1e-9:
            break
        length *= 2.0 ** min(p * (1.0 / r - 1.0), 500.0)
    return ends


@given(SPEEDUP, RETURNS, EXPONENT, LIMIT)
@settings(deadline=None)
def test_doublings_are_those_of_one_draw_told_step_by_step(f: float, r: float, p: float, limit: float) -> None:
    ends = doublings_of_one(f, r, p, limit, 3.0, 48.0)
    path = davidson_houlden2025.doublings(f, r, p, limit, 3.0, 48.0)
    assert path.months[: len(ends), 0] == pytest.approx(ends, abs=1e-6)
    assert path.count[: len(ends), 0] == pytest.approx(np.arange(len(ends)), abs=1e-9)
    assert path.count[-1, 0] - (len(ends) - 1) < 1.0 + 1e-9


@given(SPEEDUP, RETURNS, EXPONENT, LIMIT, st.sampled_from([1.0, 3.0, 10.0]))
@settings(deadline=None)
def test_compression_is_a_search_over_all_pairs_of_doublings(
    f: float, r: float, p: float, limit: float, years: float
) -> None:
    ends, n = doublings_of_one(f, r, p, limit, 3.0, 48.0), int(8 * years)
    taken = [ends[i + n] - ends[i] for i in range(len(ends) - n)]
    if any(abs(x - 12.0) < 1e-6 for x in taken):
        return
    path = davidson_houlden2025.doublings(f, r, p, limit, 3.0, 48.0)
    assert davidson_houlden2025.compressed(path, years, 12.0, 8.0)[0] == any(x < 12.0 for x in taken)


def test_without_a_limit_returns_of_one_keep_the_doubling_time() -> None:
    path = davidson_houlden2025.doublings(6.0, 1.0, 0.3, 1e9, 3.0, 12.0)
    assert np.diff(path.months[:24, 0]) == pytest.approx(0.5, abs=1e-6)
    assert path.months[-1, 0] == 12.0 and path.count[-1, 0] == pytest.approx(24.0, abs=1e-5)


def test_no_draw_passes_its_limit_or_its_horizon() -> None:
    limit, horizon = np.array([20.5, 40.0, 128.0]), 48.0
    path = davidson_houlden2025.doublings(32.0, 3.6, 0.6, limit, 3.0, horizon)
    assert path.count[-1, :2] == pytest.approx(limit[:2])  # fast enough to get there
    assert (path.count <= limit).all() and (path.months <= horizon).all() and np.isfinite(path.months).all()


@pytest.mark.parametrize("months", [3.0, 12.0, 60.0])
def test_the_best_months_are_those_of_a_fine_search(months: float) -> None:
    path = davidson_houlden2025.doublings(4.0, np.array([0.3, 1.2, 2.5]), 0.5, np.array([60.0, 70.0, 80.5]), 6.0, 48.0)
    starts = np.linspace(-months, 48.0, 60_001)
    for draw, gain in enumerate(davidson_houlden2025.largest_gain(path, months)):
        count = np.interp([starts, starts + months], path.months[:, draw], path.count[:, draw])
        assert gain == pytest.approx((count[1] - count[0]).max(), abs=0.02)
        assert gain >= (count[1] - count[0]).max() - 1e-9


@given(SPEEDUP, RETURNS, EXPONENT, LIMIT, st.floats(1.01, 3.0))
@settings(deadline=None)
def test_davidson_and_houlden_go_faster_with_each_of_speedup_returns_and_limit(
    f: float, r: float, p: float, limit: float, more: float
) -> None:
    changed = np.array([1.0, more])
    for arguments in ((f * changed, r, p, limit), (f, r * changed, p, limit), (f, r, p, limit * changed)):
        gain = davidson_houlden2025.largest_gain(davidson_houlden2025.doublings(*arguments, 3.0, 48.0), 12.0)
        assert gain[1] >= gain[0] - 1e-6


def test_a_larger_parallel_exponent_slows_a_decelerating_draw() -> None:
    path = davidson_houlden2025.doublings(8.0, 0.5, np.array([0.1, 0.3, 0.6]), 88.0, 3.0, 48.0)
    assert (np.diff(davidson_houlden2025.largest_gain(path, 12.0)) < 0.0).all()


# --- ai2027 -----------------------------------------------------------------------------------------------------

STAGES = ((3.873, 19.71, 82.42), (5.0, 25.0, 250.0, 2000.0))


def test_a_stage_of_constant_speed_takes_its_gap_over_the_speed() -> None:
    assert ai2027.stage_years(12.0, 4.0, 4.0) == pytest.approx(3.0)
    assert ai2027.stage_years(12.0, 4.0, 4.0 * (1.0 + 1e-9)) == pytest.approx(3.0)
    assert ai2027.stage_progress(1.5, 12.0, 4.0, 4.0) == pytest.approx(6.0)


@given(st.floats(0.5, 200.0), st.floats(1.0, 500.0), st.floats(1.0, 50.0))
@settings(deadline=None)
def test_a_stage_takes_the_integral_of_its_slowness(gap: float, before: float, ratio: float) -> None:
    years, _ = integrate.quad(lambda x: 1.0 / (before * ratio ** (x / gap)), 0.0, gap)
    assert ai2027.stage_years(gap, before, before * ratio) == pytest.approx(years, rel=1e-9)


@given(st.floats(0.5, 200.0), st.floats(1.0, 500.0), st.floats(1.0, 50.0), st.floats(0.01, 1.0))
@settings(deadline=None)
def test_progress_is_the_inverse_of_the_time_a_part_of_the_stage_takes(
    gap: float, before: float, ratio: float, part: float
) -> None:
    years = ai2027.stage_years(part * gap, before, before * ratio**part)  # a stage up to there is the same path
    assert ai2027.stage_progress(years, gap, before, before * ratio) == pytest.approx(part * gap, rel=1e-6)


def test_progress_starts_at_nothing_and_ends_with_the_last_stage() -> None:
    found = ai2027.progress(np.array([-1.0, 0.0, 140.53552377 / 365.0, 5.0]), *STAGES)
    assert found == pytest.approx([0.0, 0.0, 3.873, sum(STAGES[0])], abs=1e-6)


def test_a_stage_without_a_gap_takes_no_time() -> None:
    speeds = (5.0, 25.0, 250.0)
    assert ai2027.progress(0.1, (0.0, 20.0), speeds) == pytest.approx(ai2027.stage_progress(0.1, 20.0, 25.0, 250.0))


@pytest.mark.parametrize("stretch", [0.5, 2.0, 10.0])
def test_the_best_year_is_the_last_one(stretch: float) -> None:
    gaps = [stretch * gap for gap in STAGES[0]]
    starts = np.linspace(0.0, 20.0, 100_001)
    gains = ai2027.progress(starts + 1.0, gaps, STAGES[1]) - ai2027.progress(starts, gaps, STAGES[1])
    assert ai2027.largest_gain(1.0, gaps, STAGES[1]) == pytest.approx(gains.max(), rel=1e-3)


@given(st.floats(1.0, 200.0), st.floats(1.0, 500.0), st.floats(1.0, 50.0), st.floats(1.01, 3.0))
@settings(deadline=None)
def test_a_stage_is_slower_with_a_wider_gap_and_faster_with_speed(
    gap: float, before: float, ratio: float, more: float
) -> None:
    years = ai2027.stage_years(gap, before, before * ratio)
    assert ai2027.stage_years(gap * more, before, before * ratio) > years
    assert ai2027.stage_years(gap, before, before * ratio * more) < years
    assert ai2027.stage_years(gap, before * more, before * ratio * more) < years


# --- kwa2026 ----------------------------------------------------------------------------------------------------

EXOGENOUS = {
    "kwa_share_ceiling": 0.999999,
    "kwa_slowdown_year": 2029.0,
    "kwa_labour_growth": 2.0,
    "kwa_labour_growth_after": 1.1,
    "kwa_compute_growth": 2.6,
    "kwa_compute_growth_after": 2.0,
    "kwa_compute_fall_year": 2030.0,
    "kwa_compute_floor_year": 2058.0,
    "kwa_compute_growth_floor": 1.25,
}
STILL = EXOGENOUS | {name: 1.0 for name in EXOGENOUS if "growth" in name}
NOTHING_AUTOMATED = kwa2026.Production(1.4, 0.2, 0.7, 0.65, 0.0, -700.0)
MIDDLE = kwa2026.Production(1.457, 0.2115, 0.6885, 0.65, 1.0 / 2.85, float(kwa2026.logit(0.375)))


def log_software(production: kwa2026.Production, p: dict[str, Any], years: float) -> float:
    path = kwa2026.course(production, p, kwa2026.START + years)
    return float(kwa2026.software_at(path, np.array([kwa2026.START + years]))[0, 0])


@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0])
def test_constant_inputs_follow_the_closed_form(beta: float) -> None:
    production = NOTHING_AUTOMATED._replace(difficulty_exponent=beta)
    assert log_software(production, STILL, 7.0) == pytest.approx(log_software_constant_inputs(7.0, 1.4, 1.0, beta))


def test_a_share_that_never_moves_is_a_constant_help_to_labour() -> None:
    production = MIDDLE._replace(slope=0.0, logit_start=kwa2026.logit(0.75))
    expected = log_software_constant_inputs(7.0, 1.457, 4.0**0.2115, 0.65)
    assert log_software(production, STILL, 7.0) == pytest.approx(expected)


def test_growing_compute_without_automation_follows_its_closed_form() -> None:
    p = STILL | {"kwa_compute_growth": 2.6}
    growth = 0.7 * np.log(2.6)  # of output
    expected = np.log1p(0.65 * 1.4 * np.expm1(growth * 3.0) / growth) / 0.65
    assert log_software(NOTHING_AUTOMATED, p, 3.0) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(
    "production",
    [
        MIDDLE,
        MIDDLE._replace(labour_exponent=0.34, slope=1 / 1.6, difficulty_exponent=0.31),
        MIDDLE._replace(labour_exponent=0.10, slope=1 / 4.1, difficulty_exponent=0.97, people_rate=0.7),
    ],
)
def test_the_course_is_that_of_a_general_solver_in_log_software(production: kwa2026.Production) -> None:
    """To 0.001 OOM, which is the error just where f meets its ceiling; elsewhere it is a hundred times smaller."""

    def rate(year: float, x: np.ndarray) -> np.ndarray:
        people, compute = kwa2026.log_labour(year, EXOGENOUS), kwa2026.log_compute(year, EXOGENOUS)
        share = 1.0 / (1.0 + np.exp(-(production.slope * (compute + x) + production.logit_start)))
        labour = people - np.log(1.0 - np.minimum(share, 0.999999))
        output = production.labour_exponent * labour + production.compute_exponent * compute
        return production.people_rate * np.exp(output - production.difficulty_exponent * x)

    x, years = np.array([0.0]), [2026.0, 2029.0, 2030.0, 2046.0]
    for start, end in pairwise(years):
        x = integrate.solve_ivp(rate, (start, end), x, method="LSODA", rtol=1e-10, atol=1e-12).y[:, -1]
        assert log_software(production, EXOGENOUS, end - 2026.0) == pytest.approx(x[0], abs=3e-3)


def test_halving_the_step_moves_no_reported_number() -> None:
    rng = np.random.default_rng(3)
    low, high = np.array([0.5, 0.05, 0.3, 0.2, 0.2, -1.5]), np.array([2.0, 0.35, 0.9, 1.0, 0.7, 0.5])
    production = kwa2026.Production(*rng.uniform(low[:, None], high[:, None], (6, 200)))
    coarse, fine = (kwa2026.course(production, EXOGENOUS, 2047.0, n) for n in (12, 24))
    gains = [kwa2026.largest_gain(path, 2026.83, WINDOW_END) / LN10 for path in (coarse, fine)]
    years = [kwa2026.year_of_share(0.99, path, production, EXOGENOUS) for path in (coarse, fine)]
    both = np.isfinite(years[0]) & np.isfinite(years[1])
    assert both.sum() > 100
    assert gains[0] == pytest.approx(gains[1], abs=1e-3)
    assert years[0][both] == pytest.approx(years[1][both], abs=1e-3)


@pytest.mark.parametrize("beta", [0.0, 1e-9, 0.05, 0.3])
def test_a_draw_that_explodes_stays_finite(beta: float) -> None:
    production = MIDDLE._replace(labour_exponent=2.0, slope=3.0, difficulty_exponent=beta)
    path = kwa2026.course(production, EXOGENOUS, 2047.0)
    assert np.isfinite(path.log_software).all() and np.isfinite(path.logit_share).all()
    assert (np.diff(path.log_software, axis=0) >= 0.0).all()
    assert np.isfinite(kwa2026.largest_gain(path, 2026.83, WINDOW_END)).all()
    assert 2026.0 < kwa2026.year_of_share(0.99, path, production, EXOGENOUS)[0] < 2029.0


def test_compute_grows_as_stated() -> None:
    years = np.array([2026.0, 2027.0, 2029.0, 2030.0, 2031.0])
    growth = np.exp(np.diff(kwa2026.log_compute(years, EXOGENOUS)))
    assert growth[:3] == pytest.approx([2.6, 2.6**2, 2.0])
    assert 1.96 < growth[3] < 2.0
    late = kwa2026.log_compute(np.array([2057.999, 2058.0, 2060.0]), EXOGENOUS)
    assert np.diff(late) == pytest.approx([0.001 * np.log(1.25), 2.0 * np.log(1.25)], rel=1e-4)


@given(st.floats(0.0, 30.0), st.floats(1.1, 4.0), st.floats(1.1, 4.0))
@settings(deadline=None)
def test_falling_growth_is_an_integral(years: float, first: float, last: float) -> None:
    slope = (last - first) / 30.0
    expected, _ = integrate.fixed_quad(lambda t: np.log(first + slope * t), 0.0, years, n=60)
    assert kwa2026.falling_growth(years, first, slope) == pytest.approx(expected, abs=1e-8)


def test_shares_are_crossed_when_a_straight_line_crosses_them() -> None:
    """With alpha = zeta = beta = 0 software grows by k, and the logit by v (ln compute growth + k)."""
    production = MIDDLE._replace(labour_exponent=0.0, compute_exponent=0.0, difficulty_exponent=0.0, slope=0.5)
    p = STILL | {"kwa_compute_growth": 2.6}  # until 2029
    path = kwa2026.course(production, p, 2047.0)
    per_year = 0.5 * (np.log(2.6) + 1.457)
    for share in (0.2, 0.6):  # before and after 2026.0
        expected = 2026.0 + (kwa2026.logit(share) - kwa2026.logit(0.375)) / per_year
        assert kwa2026.year_of_share(share, path, production, p)[0] == pytest.approx(expected, abs=1e-9)
    assert kwa2026.year_of_share(1.0 - 1e-15, path, production, p)[0] == np.inf


DIRECTIONS = [
    ("people_rate", 0.2, 1),
    ("labour_exponent", 0.05, 1),
    ("compute_exponent", 0.1, 1),
    ("difficulty_exponent", 0.1, -1),
    ("slope", 0.1, 1),
    ("logit_start", 0.5, 1),
]


@pytest.mark.parametrize(("name", "more", "sign"), DIRECTIONS)
def test_kwa_goes_faster_or_slower_with_each_parameter(name: str, more: float, sign: int) -> None:
    changed = MIDDLE._replace(**{name: getattr(MIDDLE, name) + more})
    gained = log_software(changed, EXOGENOUS, 10.0) - log_software(MIDDLE, EXOGENOUS, 10.0)
    assert sign * gained > 0.0
    years = [
        kwa2026.year_of_share(0.99, kwa2026.course(each, EXOGENOUS, 2047.0), each, EXOGENOUS)[0]
        for each in (MIDDLE, changed)
    ]
    assert sign * (years[1] - years[0]) < 0.0


# --- the labelled shell -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def own(prior_run: xr.DataTree) -> xr.Dataset:
    return takeoff(prior_run, "baseline")


@pytest.fixture(scope="module")
def comparison(prior_run: xr.DataTree, own: xr.Dataset) -> xr.Dataset:
    return compare_forms(prior_run, own)


@pytest.mark.parametrize("parameters", PARAMETERS_FROM)
@pytest.mark.parametrize("form", RIVALS)
def test_a_form_answers_for_every_draw_with_units(prior_run: xr.DataTree, form: str, parameters: str) -> None:
    found = rival_form(prior_run, form, parameters)
    assert set(found.data_vars) == set(CURRENCY) | set(OWN[form])
    assert dict(found.sizes) == {"chain": 2, "draw": 150}
    for name, values in found.items():
        assert values.attrs["units"] and values.attrs["definition"], name
        assert not np.isnan(values.values.astype(float)).any(), name
    assert np.isfinite(found["best_year_gain"]).all() and (found["best_year_gain"] > 0.0).all()
    for years in (3, 10):
        event = found[f"best_year_{years}_human_years"]
        assert event.dtype == bool and (event == (found["best_year_gain_human_years"] >= years)).all()


def below_the_ceiling(run: xr.DataTree) -> dict[str, Any]:
    """The run's draws with a ceiling that none gets near."""
    return parameters_with(run, "rival_forms") | {"log10_software_ceiling": np.full(300, 1e6)}


def test_davidson_and_houlden_with_their_own_numbers_as_the_posterior_are_as_published(prior_run: xr.DataTree) -> None:
    p = below_the_ceiling(prior_run)
    labour_share = 1.0 - p["compute_share"]
    p |= {
        "returns": p["davidson_houlden_returns"] / labour_share,
        "parallelization_exponent": p["davidson_houlden_parallel_exponent"] / labour_share,
        "software_doubling_months": p["davidson_houlden_doubling_months"],
    }
    _assert_as_published("davidson_houlden2025", p)


def test_kwa_with_his_own_numbers_as_the_posterior_is_as_published(prior_run: xr.DataTree) -> None:
    p = below_the_ceiling(prior_run)
    scale, share = p["kwa_scale_exponent"], p["kwa_labour_share"]
    rate = np.log(5.0) * (1.0 - p["kwa_automated_share_2026"]) ** (share * scale)
    p |= {
        "compute_share": 1.0 - share,
        "parallelization_exponent": scale,
        "returns": scale / p["kwa_difficulty_exponent"],
        "software_doubling_months": 12.0 * LN2 / rate,
    }
    _assert_as_published("kwa2026", p)


def test_ai_2027_is_as_published_below_the_ceiling(prior_run: xr.DataTree) -> None:
    _assert_as_published("ai2027", below_the_ceiling(prior_run))


def _assert_as_published(form: str, p: dict[str, Any]) -> None:
    shared, published = (READOUTS_OF[form](p, q, WINDOW_END) for q in (False, True))
    assert set(shared) == set(published)
    for name in shared:
        np.testing.assert_allclose(shared[name].astype(float), published[name].astype(float), rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("form", RIVALS)
def test_no_form_passes_the_software_ceiling_of_its_draw(prior_run: xr.DataTree, form: str) -> None:
    p = parameters_with(prior_run, "rival_forms") | {"log10_software_ceiling": np.full(300, 0.01)}
    assert READOUTS_OF[form](p, False, WINDOW_END)["best_year_gain"] == pytest.approx(0.01)


def test_what_is_published_does_not_see_the_posterior(prior_run: xr.DataTree) -> None:
    p = parameters_with(prior_run, "rival_forms")
    other = p | {name: 1.3 * p[name] for name in ("returns", "parallelization_exponent", "software_doubling_months")}
    for form in ("davidson_houlden2025", "kwa2026"):
        before, after = (READOUTS_OF[form](q, True, WINDOW_END) for q in (p, other))
        assert all((before[name] == after[name]).all() for name in before)


def test_kwa_counts_nothing_after_the_window(prior_run: xr.DataTree) -> None:
    short, long = (rival_form(prior_run, "kwa2026", years=range(2026, last)) for last in (2032, 2046))
    late = long["year_99"].values > 2032.0
    assert late.any() and (~late).any()
    assert (np.isinf(short["year_99"]) == late).all() and (np.isinf(short["takeoff_years"]) == late).all()
    assert np.allclose(short["takeoff_years"].values[~late], long["takeoff_years"].values[~late])
    assert (short["best_year_gain"] <= long["best_year_gain"]).all()


def test_directions_hold_with_posterior_parameters(prior_run: xr.DataTree) -> None:
    p = below_the_ceiling(prior_run)

    def gain(form: str, **changed: Any) -> np.ndarray:
        return READOUTS_OF[form](p | changed, False, WINDOW_END)["best_year_gain"]

    for form in ("davidson_houlden2025", "kwa2026"):
        assert (gain(form, returns=1.5 * p["returns"]) > gain(form)).all()
        assert (gain(form, software_doubling_months=2.0 * p["software_doubling_months"]) < gain(form)).all()
    assert (gain("ai2027", software_doubling_months=2.0 * p["software_doubling_months"]) < gain("ai2027")).all()


def test_the_comparison_holds_every_form_once(comparison: xr.Dataset, own: xr.Dataset, prior_run: xr.DataTree) -> None:
    rivals = [*RIVALS, *(f"{form} as published" for form in RIVALS)]
    assert list(comparison.coords["form"].values) == ["section5", *rivals]
    assert list(comparison.coords["takeoff_form"].values) == ["section5", "kwa2026", "kwa2026 as published"]
    for name in CURRENCY:
        assert (comparison[name].sel(form="section5").values == own[name].values[0]).all()
        expected = rival_form(prior_run, "ai2027", "published")[name]
        assert (comparison[name].sel(form="ai2027 as published").values == expected.values).all()
    for name, values in comparison.items():
        assert values.attrs["units"] and values.attrs["definition"], name
        assert not np.isnan(values.values.astype(float)).any(), name
    assert "as published" not in own["best_year_gain_human_years"].attrs["definition"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("section5",), "takeoff computes it"),
        (("kwa2025",), "did you mean 'kwa2026'"),
        (("kwa2026", "publisht"), "did you mean 'published'"),
        (("kwa2026", "posterior", []), "at least one year"),
    ],
)
def test_names_that_do_not_exist_are_refused(prior_run: xr.DataTree, arguments: tuple, said: str) -> None:
    with pytest.raises(InputError, match=said):
        rival_form(prior_run, *arguments)


def test_falling_speeds_are_refused_by_name(prior_run: xr.DataTree) -> None:
    p = parameters_with(prior_run, "rival_forms") | {"ai2027_superhuman_speed": np.full(300, 10.0)}
    with pytest.raises(InputError, match="ai2027_superhuman_speed"):
        READOUTS_OF["ai2027"](p, False, WINDOW_END)


def test_readouts_of_another_run_or_scenario_are_refused(prior_run: xr.DataTree, own: xr.Dataset) -> None:
    with pytest.raises(InputError, match="pass what takeoff"):
        compare_forms(prior_run, own.isel(draw=slice(0, 10)))
    with pytest.raises(InputError, match="did you mean 'baseline'"):
        compare_forms(prior_run, own, scenario="basline")


def test_every_form_has_a_weight() -> None:
    names = {name for name in SIDE_PARAMETERS["rival_forms"] if name.startswith("form_weight_")}
    assert names == {f"form_weight_{form}" for form in MIXED}


# --- the mixture ------------------------------------------------------------------------------------------------

FORM_DRAWS = st.lists(st.lists(st.floats(-50.0, 50.0), min_size=4, max_size=4), min_size=2, max_size=4)


def test_shipped_weights_sum_to_one(prior_run: xr.DataTree) -> None:
    weights = form_weights(prior_run)
    assert tuple(weights) == MIXED
    assert sum(weights.values()) == pytest.approx(1.0)
    assert weights["section5"] == max(weights.values())


def test_a_mixture_of_one_form_is_that_form(comparison: xr.Dataset) -> None:
    found = mixture(comparison, {"davidson_houlden2025": 3.0})
    one = comparison.sel(form="davidson_houlden2025")
    expected = np.quantile(one["best_year_gain"].values, found.coords["quantile"], method="inverted_cdf")
    assert found["best_year_gain"].values == pytest.approx(expected)
    assert float(found["best_year_3_human_years"]) == pytest.approx(float(one["best_year_3_human_years"].mean()))
    assert float(found["best_year_gain_structure_share"]) == 0.0
    assert float(found["best_year_gain_structure_share_of_ranks"]) == pytest.approx(0.0)


def test_a_mixture_is_the_pool_of_its_forms_by_weight(comparison: xr.Dataset) -> None:
    found = mixture(comparison, {"section5": 2.0, "ai2027": 1.0, "kwa2026": 1.0})
    values = {form: comparison["best_year_gain"].sel(form=form).values.ravel() for form in found.coords["form"].values}
    pool = np.concatenate([values["section5"], values["section5"], values["ai2027"], values["kwa2026"]])
    expected = np.quantile(pool, found.coords["quantile"], method="inverted_cdf")
    assert found["best_year_gain"].values == pytest.approx(expected)
    means = np.array([values[form].mean() for form in ("section5", "section5", "ai2027", "kwa2026")])
    assert float(found["best_year_gain_structure_share"]) == pytest.approx(means.var() / pool.var())
    for values in found.values():
        assert values.attrs["units"] and values.attrs["definition"]


@given(FORM_DRAWS)
def test_variance_within_and_between_forms_is_all_of_it(draws: list) -> None:
    values = np.array(draws)
    weight = np.full(len(draws), 1.0 / len(draws))
    between = structure_share(values, weight) * values.var()
    assert between + values.var(axis=1).mean() == pytest.approx(values.var(), abs=1e-7)


@given(FORM_DRAWS)
def test_ranks_see_no_stretching_of_tails(draws: list) -> None:
    values, weight = np.round(np.array(draws), 3), np.full(len(draws), 1.0 / len(draws))
    stretched = np.sign(values) * np.abs(values) ** 3
    assert ranks(stretched, weight) == pytest.approx(ranks(values, weight))
    assert weight @ ranks(values, weight).mean(axis=1) == pytest.approx(0.5)


def test_forms_that_agree_have_no_structure_and_points_have_nothing_else() -> None:
    weight = np.array([0.3, 0.7])
    assert structure_share(np.array([[1.0, 2.0, 3.0], [3.0, 1.0, 2.0]]), weight) == pytest.approx(0.0)
    assert structure_share(np.array([[1.0, 1.0], [2.0, 2.0]]), weight) == pytest.approx(1.0)
    assert structure_share(np.ones((2, 3)), weight) == 0.0


def test_weighted_quantiles_keep_what_is_censored() -> None:
    found = weighted_quantiles(np.array([[1.0, np.inf], [2.0, 2.0]]), np.array([0.5, 0.5]), [0.25, 0.26, 0.75, 0.76])
    assert found.tolist() == [1.0, 2.0, 2.0, np.inf]


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"section5": -1.0, "ai2027": 2.0}, "at least 0"),
        ({"section5": 0.0}, "one above 0"),
        ({"section": 1.0}, "did you mean 'section5'"),
        ({"section5": np.nan}, "give numbers"),
        ({}, "one above 0"),
    ],
)
def test_weights_that_make_no_mixture_are_refused(comparison: xr.Dataset, weights: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        mixture(comparison, weights)
