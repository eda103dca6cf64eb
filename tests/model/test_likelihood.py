"""Every row of every table against the expectation that MODEL section 3 states, written out here a second time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from pytensor.compile.mode import Mode
from scipy import stats
from scipy.optimize import minimize_scalar
from scipy.special import logit

from forecast.constants import constants, staff_growth
from forecast.equations import takeoff, trends
from forecast.model import BLOCK_FUNCTIONS, build_model
from forecast.model.blocks import Rows
from forecast.model.on_draws import log_density, log_likelihood
from forecast.observations import Observations, load_observations
from forecast.priors import Priors
from forecast.runs import parameters_of
from forecast.schema import BLOCKS

LN2, LN10 = np.log(2.0), np.log(10.0)


@pytest.fixture(scope="module")
def draw(prior_run: xr.DataTree) -> dict[str, Any]:
    """One draw of the prior whose world grows, as floats and constants."""
    p = parameters_of(prior_run)
    i = int(np.flatnonzero(p["world_compute_growth"] > 0.3)[4])
    return {name: value[i] if np.ndim(value) else value for name, value in p.items()}


@pytest.fixture(scope="module")
def rows(draw: dict[str, Any], observations: Observations) -> dict[str, Rows]:
    """What each block says of that draw."""
    p = {name: np.atleast_1d(value)[None] for name, value in draw.items() if name != "effective_flop_centre"}
    p |= constants(observations)
    found = [row for block in BLOCKS for row in BLOCK_FUNCTIONS[block](p, observations)]
    return {row.name: row for row in found}


def assert_rows(row: Rows, mean: Any, spread: Any, observed: Any, nu: float | None = 5.0) -> None:
    shape = row.observed.shape
    np.testing.assert_allclose(np.broadcast_to(np.ravel(row.mean), shape), np.broadcast_to(mean, shape), rtol=1e-9)
    np.testing.assert_allclose(np.broadcast_to(np.ravel(row.spread), shape), np.broadcast_to(spread, shape), rtol=1e-9)
    np.testing.assert_allclose(row.observed, observed, rtol=1e-12)
    assert row.nu == nu


def interval_error(table: xr.Dataset, default: float = 0.0) -> Any:
    """Standard deviation in ln of an equal-tailed interval of the stated mass."""
    error = np.log(table["high"] / table["low"]) / (2.0 * stats.norm.ppf(0.5 + table["mass"] / 2.0))
    return error.fillna(default).values


def test_layers(rows: dict[str, Rows], draw: dict[str, Any], observations: Observations) -> None:
    table = observations["architectures"]
    names = sorted(set(table["family"].values))
    family = np.array([draw["depth_family_variate"][names.index(name)] for name in table["family"].values])
    mean = np.log(draw["reference_layers"] * (table["params"].values / 7e10) ** draw["depth_exponent"])
    expected = mean + draw["depth_family_scale"] * family
    assert_rows(rows["architectures"], expected, draw["depth_scatter"], np.log(table["layers"]))


@pytest.mark.parametrize("kind", ["training", "deployment"])
def test_utilization(rows: dict[str, Rows], draw: dict[str, Any], observations: Observations, kind: str) -> None:
    table = observations[f"{kind}_utilization"]
    trend = draw[f"{kind}_utilization_trend"] * (table["year"].values - 2023.0)
    gap = (
        draw["vendor_benchmark_gap"] * (table["setting"].values == "vendor_benchmark") if kind == "deployment" else 0.0
    )
    expected = logit(draw[f"{kind}_utilization_2023"]) + trend + gap
    spread = draw[f"{kind}_utilization_scatter"]
    assert_rows(rows[table.attrs["table"]], expected, spread, logit(table[f"{kind}_utilization"].values))


def surface(draw: dict[str, Any], params: Any, tokens: Any) -> Any:
    irreducible, by_params, by_tokens = draw["loss_shares"]
    at_centre = draw["loss_at_centre"]
    small = by_params * (draw["loss_params_centre"] / params) ** draw["loss_params_exponent"]
    short = by_tokens * (draw["loss_tokens_centre"] / tokens) ** draw["loss_tokens_exponent"]
    return at_centre * (irreducible + small + short)


def test_losses(rows: dict[str, Rows], draw: dict[str, Any], observations: Observations) -> None:
    table = observations["chinchilla_losses"]
    assert draw["loss_params_centre"] == pytest.approx(stats.gmean(table["params"]))
    assert draw["loss_tokens_centre"] == pytest.approx(stats.gmean(table["tokens"]))
    expected = np.log(surface(draw, table["params"].values, table["tokens"].values))
    assert_rows(rows["chinchilla_losses"], expected, draw["loss_scatter"], np.log(table["loss"]), nu=4.0)


def test_tokens_per_param(rows: dict[str, Rows], draw: dict[str, Any], observations: Observations) -> None:
    """The optimum is found by searching the surface along 6 p D = C."""
    table = observations["tokens_per_param"]
    assert (table["training_flop"] >= 1e24).all()

    def optimum(flop: float) -> float:
        """ln of the tokens per parameter at which the loss is least."""
        found = minimize_scalar(
            lambda x: surface(draw, np.sqrt(flop / 6.0 / np.exp(x)), np.sqrt(flop / 6.0 * np.exp(x))),
            bracket=(-2.0, 4.0, 14.0),
            tol=1e-12,
        )
        return float(found.x)

    start = np.log(draw["tokens_per_param_2024"])
    end = np.log(draw["overtraining_factor"]) + np.array([optimum(flop) for flop in table["training_flop"].values])
    still_to_go = 2.0 / (1.0 + 3.0 ** ((table["year"].values - 2024.0) / draw["overtraining_half_life"]))
    row = rows["tokens_per_param"]
    np.testing.assert_allclose(np.ravel(row.mean), end + (start - end) * still_to_go, rtol=1e-4, atol=1e-4)
    assert_rows(row, np.ravel(row.mean), draw["tokens_per_param_scatter"], np.log(table["tokens_per_param"]))


@pytest.mark.parametrize(
    ("name", "column", "centre", "scale"),
    [
        ("algorithmic_progress", "doubling_months", "software_doubling_months", "software_study_scale"),
        ("research_returns", "returns", "returns", "returns_scale"),
    ],
)
def test_studies(
    rows: dict[str, Rows],
    draw: dict[str, Any],
    observations: Observations,
    name: str,
    column: str,
    centre: str,
    scale: str,
) -> None:
    """A study's own error, 0.3 where it states none, half as much again at second hand, beside the scale between."""
    table = observations[name]
    error = interval_error(table, 0.3) * np.where(table["secondary"] > 0, 1.5, 1.0)
    observed = table[column] * (table["conversion"] if name == "research_returns" else 1.0)
    spread = np.hypot(error, draw[scale])
    assert_rows(rows[name], np.log(draw[centre]), spread, np.log(observed), nu=None)


def test_returns_on_labour_are_converted_to_all_inputs(observations: Observations) -> None:
    """g_L / g_R with g_L = 0.85, g_K = 1.3 and a compute share of 0.67."""
    table = observations["research_returns"]
    factor = 0.85 / (0.33 * 0.85 + 0.67 * 1.3)
    assert set(table["input"].values) == {"labour"}
    np.testing.assert_allclose(table["conversion"], factor, rtol=1e-5)


def test_compute(rows: dict[str, Rows], draw: dict[str, Any], observations: Observations) -> None:
    runs = observations["training_runs"]
    trend = draw["log10_training_flop_2024"] + draw["training_compute_growth"] * (runs["year"].values - 2024.0)
    expected = trend + draw["record_offset"] * (runs["rank"].values == 1)
    assert_rows(rows["training_runs"], expected, draw["training_compute_scatter"], np.log10(runs["training_flop"]))
    assert set(runs["rank"].values) == {1.0, 2.0, 3.0}

    world = observations["world_compute"]
    start, end = (10 ** (draw["log10_world_flop_per_second_2025"] + draw["world_compute_growth"] * (year - 2025.0))
                  for year in (world["start_year"].values, world["end_year"].values))  # fmt: skip
    spread = np.hypot(interval_error(world) / LN10, draw["world_compute_scatter"])
    assert_rows(rows["world_compute"], np.log10(end - start), spread, np.log10(world["added_flop_per_second"]))

    fleet = observations["fleet_compute"]
    expected = draw["log10_fleet_flop_per_second_2025"] + draw["fleet_growth"] * (fleet["year"].values - 2025.0)
    spread = np.hypot(interval_error(fleet) / LN10, draw["fleet_scatter"])
    assert_rows(rows["fleet_compute"], expected, spread, np.log10(fleet["fleet_flop_per_second"]))


def test_runs_and_chips(rows: dict[str, Rows], draw: dict[str, Any], observations: Observations) -> None:
    table = observations["run_durations"]
    days = np.log(draw["training_days"]) + draw["training_days_trend"] * (table["year"].values - 2023.0)
    assert_rows(rows["run_durations"], days, draw["training_days_scatter"], np.log(table["training_days"]))
    chips = observations["hardware"]
    rise = draw["price_performance_growth"] * (chips["year"].values - 2022.0)
    observed = np.log10(chips["flop_per_second"] / chips["price_usd"])
    expected = draw["log10_price_performance_2022"] + rise
    assert_rows(rows["hardware"], expected, draw["price_performance_scatter"], observed)


def test_streams(rows: dict[str, Rows], draw: dict[str, Any], observations: Observations) -> None:
    table = observations["inference_speed"]
    bytes_read = table["active_params"] * table["bytes_per_param"]
    seconds = (bytes_read / (table["chips"] * table["memory_bandwidth"])).values
    speed = np.exp(draw["log_stream_speed_2024"] + draw["stream_speed_growth"] * (table["year"].values - 2024.0))
    speed *= (table["layers"].values / 100.0) ** -draw["stream_depth_exponent"]
    speed *= (seconds / 1e-3) ** -draw["stream_bandwidth_exponent"]
    production = table["setting"].values == "production"
    expected = np.log(speed) + draw["production_offset"] * production
    assert_rows(rows["inference_speed"], expected, draw["stream_scatter"], np.log(table["tokens_per_second"]))
    assert draw["stream_reference_read_seconds"] == pytest.approx(np.median(seconds[production]))


def test_task_horizons(rows: dict[str, Rows], draw: dict[str, Any], observations: Observations) -> None:
    table = observations["time_horizons"]
    flop = np.array([trends.effective_flop_on_trend(year, draw) for year in table["year"].values])
    centred = draw["horizon_doublings_per_oom"] * (flop - flop.mean())
    expected = draw["log2_horizon_at_centre"] + centred
    away = draw["as_of_year"] - table["year"].values
    walk = draw["horizon_walk_scale"] ** 2 * np.minimum.outer(away, away)
    truth = stats.multivariate_normal(expected, walk + draw["horizon_scatter"] ** 2 * np.eye(away.size))
    row = rows["time_horizons"]
    assert log_density(row).sum() == pytest.approx(truth.logpdf(np.log2(table["horizon_minutes"])), rel=1e-9)
    assert row.nu is None
    assert draw["effective_flop_centre"] == pytest.approx(flop.mean())


def test_staff_is_a_line_per_lab(rows: dict[str, Rows], draw: dict[str, Any], observations: Observations) -> None:
    table = observations["research_staff"].to_dataframe()
    large = [lab for _, lab in table.groupby("lab") if len(lab) > 2]
    fits = [stats.linregress(lab["year"], np.log(lab["staff"])) for lab in large]
    residuals = [
        np.log(lab["staff"]) - fit.intercept - fit.slope * lab["year"] for lab, fit in zip(large, fits, strict=True)
    ]
    pooled = np.sqrt(sum((r**2).sum() for r in residuals) / sum(len(r) - 2 for r in residuals))
    errors = [pooled / np.sqrt(((lab["year"] - lab["year"].mean()) ** 2).sum()) for lab in large]
    slopes, spread = staff_growth(observations)
    np.testing.assert_allclose(slopes, [fit.slope for fit in fits])
    np.testing.assert_allclose(spread, errors)
    combined = np.hypot(errors, draw["labour_growth_scale"])
    assert_rows(rows["research_staff"], draw["labour_growth"], combined, slopes, nu=None)


def test_balanced_growth(rows: dict[str, Rows], draw: dict[str, Any]) -> None:
    share, doublings = draw["compute_share"], 12.0 / draw["software_doubling_months"]
    inputs = (1.0 - share) * draw["labour_growth"] + share * LN10 * draw["fleet_growth"]
    expected = np.log(doublings * LN2 / (draw["returns"] * inputs))
    assert_rows(rows["balanced_growth"], expected, 0.3, [0.0], nu=None)


def test_the_present(rows: dict[str, Rows], draw: dict[str, Any]) -> None:
    """By the full equations, of which the graph holds a short form."""
    around = takeoff.surroundings(draw["as_of_year"], draw)
    flop = takeoff.effective_flop(0.0, around)
    at = takeoff.milestones(flop, draw)
    assert flop < at.full
    share = 0.2 + 0.8 * (flop - (at.full - draw["automation_gap"])) / draw["automation_gap"]
    assert_rows(rows["present_automated_share"], share, 0.2, [0.4], nu=None)
    on = takeoff.deployed(flop, around, at, draw)
    speedup = takeoff.research(flop, around, on, at, around.log10_fleet, draw).log_speedup
    assert_rows(rows["present_log_speedup"], speedup, 0.25, [0.336472], nu=None)
    assert np.exp(0.336472) == pytest.approx(1.4, abs=1e-5)


def test_the_past(rows: dict[str, Rows], draw: dict[str, Any]) -> None:
    """2012.75: its researchers, 7 OOM less compute in 12 years, software back along its trend."""
    years = draw["as_of_year"] - 2012.75
    share, power = draw["compute_share"], draw["parallelization_exponent"]
    rho = np.log(share) / np.log(draw["infinite_labour_multiple"])
    now = min(draw["leader_researchers"], draw["world_researchers"] / 2.0)
    labour = (draw["researchers_2012"] / now) ** power
    compute = 10.0 ** (-7.0 / 12.0 * years * power)
    output = ((1.0 - share) * labour**rho + share * compute**rho) ** (1.0 / rho)
    harder = power / draw["returns"] * 12.0 * LN2 / draw["software_doubling_months"] * years
    assert rows["past_log10_rate"].nu is None
    assert float(np.ravel(rows["past_log10_rate"].mean)[0]) == pytest.approx(np.log10(output) + harder / LN10, rel=1e-4)
    assert float(rows["past_log10_rate"].spread) == 0.3


def test_density_is_student_t_or_normal() -> None:
    row = Rows("some", np.array([[1.0], [2.0]]), np.array([[0.5], [0.25]]), np.array([1.2, 2.0, 0.0]), nu=4.0)
    truth = [stats.t(4.0, mean, spread).logpdf(row.observed) for mean, spread in ((1.0, 0.5), (2.0, 0.25))]
    np.testing.assert_allclose(log_density(row), truth)
    truth = [stats.norm(mean, spread).logpdf(row.observed) for mean, spread in ((1.0, 0.5), (2.0, 0.25))]
    np.testing.assert_allclose(log_density(row._replace(nu=None)), truth)


def test_a_horizon_at_the_suites_limit_says_at_least(priors: Priors, tmp_path: Path, draw: dict[str, Any]) -> None:
    """A row at 960 minutes counts with the probability that a horizon lies above, and by no density."""
    frame = load_observations().to_frame("time_horizons").drop(columns="year")
    last = len(frame) - 1
    frame["censored"] = frame["censored"].astype(int)
    frame.loc[last, ["horizon_minutes", "low", "high", "censored"]] = [960.0, 500.0, 2000.0, 1]
    frame.to_csv(tmp_path / "time_horizons.csv", index=False)
    data = load_observations(tmp_path)
    held = {name: value for name, value in draw.items() if name in priors and np.ndim(value) == 0}
    model = build_model(priors.replace(**held), data, ["task_horizon"])
    assert [potential.name for potential in model.potentials] == ["time_horizons_censored"]
    assert list(model.coords["held_row"]) == [f"time_horizons:{i}" for i in range(last)]

    (shares,) = model.free_RVs  # everything else is held at the draw's value
    inputs = {model.rvs_to_values[shares].name: np.zeros(shares.type.shape)}
    outputs = model.replace_rvs_by_values([*model.potentials, shares])
    found, sticks = model.compile_fn(outputs, inputs=model.value_vars, mode=Mode(linker="py"))(inputs)
    there = draw | {"loss_shares": np.array([sticks[0], (1 - sticks[0]) * sticks[1], np.prod(1 - sticks)])}
    flop = np.array([trends.effective_flop_on_trend(year, there) for year in data["time_horizons"]["year"].values])
    mean = draw["log2_horizon_at_centre"] + draw["horizon_doublings_per_oom"] * (flop[last] - flop.mean())
    away = draw["as_of_year"] - data["time_horizons"]["year"].values[last]
    spread = np.sqrt(draw["horizon_scatter"] ** 2 + draw["horizon_walk_scale"] ** 2 * away)
    assert found == pytest.approx(stats.norm(mean, spread).logsf(np.log2(960.0)), rel=1e-6)


def test_log_likelihoods_of_draws_are_those_of_each(prior_run: xr.DataTree, observations: Observations) -> None:
    p = parameters_of(prior_run)
    kept = np.flatnonzero(p["world_compute_growth"] > 0.0)[:3]
    several = log_likelihood({k: v[kept] if np.ndim(v) else v for k, v in p.items()}, observations)
    for i, draw in enumerate(kept):
        one = log_likelihood({k: v[[draw]] if np.ndim(v) else v for k, v in p.items()}, observations)
        for table, values in one.items():
            np.testing.assert_allclose(several[table][i], values[0], rtol=1e-9, err_msg=table)
