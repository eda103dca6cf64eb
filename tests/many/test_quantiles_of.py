"""Quantiles of many draws are those of the forecast, whoever makes the draws and in whatever shares."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import xarray as xr

from forecast import quantiles_of
from forecast.dynamics import takeoff
from forecast.errors import ForecastError, InputError
from forecast.many import atoms, checks, job, work
from forecast.many.atoms import ATOM, drawn_atom, prior_atoms, samplers
from forecast.many.grids import grid_of
from forecast.many.results import accuracy_sentence, quantile_rows, quantile_words, shares_sentence
from forecast.observations import Observations
from forecast.priors import Priors, load_priors
from forecast.projection import on_trend, project
from forecast.quantiles import quantile
from forecast.results import moments
from forecast.schema import CENSORED, CONDITIONAL, EVENTS, READOUTS, YEARLY

YEARS = [2027, 2040]
LEVELS = (0.001, 0.05, 0.5, 0.95)


@pytest.fixture
def in_bins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is kept: everything is counted in bins."""
    monkeypatch.setattr(job, "EXACT", 0)


@pytest.fixture
def small_atoms(monkeypatch: pytest.MonkeyPatch) -> int:
    """Atoms of 256 draws, blocks of 128, so that a take-off of several takes no time."""
    for module in (atoms, checks, work):
        monkeypatch.setattr(module, "ATOM", 256)
    for module in (work, sys.modules["forecast.results"]):
        monkeypatch.setattr(module, "BLOCK", 128)
    return 256


def direct(priors: Priors, observations: Observations, number: int, name: str, seed: int = 1) -> np.ndarray:
    """The slow way: draw the atoms, project them, keep everything; (year, draw)."""
    source = prior_atoms(priors, observations, seed)
    own, parts = samplers(source), []
    for k in range(-(-number // ATOM)):
        p = drawn_atom(source, own, k, "numpy")
        parts.append(on_trend(p, moments(YEARS, observations.as_of_year), "exponential")[name])
    return np.concatenate(parts)[:number].T


def test_quantiles_are_those_of_the_draws_exactly_where_they_fit_and_within_a_bin_where_not(
    priors: Priors, observations: Observations, monkeypatch: pytest.MonkeyPatch
) -> None:
    names, number = ["log10_parallel_streams", "automated_share", "layers"], ATOM + 1000
    kept = quantiles_of(priors, draws=number, years=YEARS, var_names=names, levels=LEVELS)
    monkeypatch.setattr(job, "EXACT", 0)
    binned = quantiles_of(priors, draws=number, years=YEARS, var_names=names, levels=LEVELS)
    for name in names:
        expected = np.quantile(direct(priors, observations, number, name), LEVELS, axis=1).T
        assert kept[name].dims == ("scenario", "year", "quantile")
        np.testing.assert_allclose(kept[name][0], expected, rtol=1e-12)
        assert (kept[name].attrs["bin_error"], kept.attrs["exact"], binned.attrs["exact"]) == (0.0, 1, 0)
        error = binned[name].attrs["bin_error"] * (1.0 + 1e-9)
        assert error == pytest.approx(grid_of(name).error)
        relative = binned[name].attrs["bin_error_units"] == "relative"
        np.testing.assert_allclose(
            binned[name][0], expected, rtol=error if relative else 0.0, atol=0.0 if relative else error
        )
        assert binned[name].attrs["units"] == YEARLY[name].units


@pytest.mark.usefixtures("in_bins")
def test_shares_and_workers_change_no_number(priors: Priors) -> None:
    asked: dict[str, Any] = {"years": [2030], "scenario": ["baseline", "no_slowdown"]}
    number = 2 * ATOM + 77
    whole = quantiles_of(priors, draws=number, chunk=10**9, **asked)
    for rest in ({"chunk": 1}, {"executor": "threads:3", "chunk": ATOM}, {"executor": "processes:2", "chunk": ATOM}):
        xr.testing.assert_identical(quantiles_of(priors, draws=number, **asked, **rest), whole)
    assert not quantiles_of(priors, draws=number, random_seed=2, **asked).equals(whole)


@pytest.mark.usefixtures("in_bins")
def test_a_take_off_does_not_depend_on_its_shares_either(priors: Priors, small_atoms: int) -> None:
    asked: dict[str, Any] = {"scenario": ["baseline", "hardware_leap"], "engine": "numpy"}
    whole, cut = (quantiles_of(priors, "takeoff", small_atoms + 100, chunk=chunk, **asked) for chunk in (10**6, 1))
    xr.testing.assert_identical(cut, whole)
    assert set(EVENTS) | set(READOUTS) | {"never", "undefined"} == set(whole.data_vars)
    assert whole["not_automated"].dims == ("scenario",)


def test_machine_code_counts_the_same_draws(priors: Priors) -> None:
    names = ["log10_human_equivalents"]
    one, other = (
        quantiles_of(priors, draws=3000, years=[2026, 2035], var_names=names, levels=LEVELS, engine=engine)
        for engine in ("numpy", "compiled")
    )
    np.testing.assert_allclose(one[names[0]], other[names[0]], rtol=1e-11)


def test_the_first_draws_of_many_are_those_of_few(priors: Priors, observations: Observations) -> None:
    name = "log10_parallel_streams"
    few, many = (direct(priors, observations, number, name) for number in (50, ATOM + 50))
    np.testing.assert_array_equal(many[:, :50], few)


@pytest.mark.parametrize("keep", [True, False])
def test_a_run_gives_the_quantiles_of_its_take_off(
    prior_run: xr.DataTree, keep: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not keep:
        monkeypatch.setattr(job, "EXACT", 0)
    found = quantiles_of(prior_run, "takeoff", levels=LEVELS)
    draws = takeoff(prior_run)
    assert found.attrs["draws"] == 300
    for name in READOUTS:
        expected = quantile(draws[name], LEVELS).transpose("scenario", "quantile").values
        error = max(float(found[name].attrs["bin_error"]) * (1.0 + 1e-9), 1e-12)
        size = (
            np.nan_to_num(np.abs(expected), posinf=0.0) if found[name].attrs["bin_error_units"] == "relative" else 1.0
        )
        np.testing.assert_array_equal(np.isinf(found[name]), np.isinf(expected), err_msg=name)
        finite = np.isfinite(expected)
        off = np.abs(found[name].values[finite] - expected[finite])
        assert (off <= (error * size * np.ones_like(expected))[finite] + 1e-9).all(), name
        for share, test in (("never", np.isinf), ("undefined", np.isnan)):
            counted = found[share].sel(variable=name)
            np.testing.assert_allclose(counted, test(draws[name]).mean(("chain", "draw")), rtol=1e-12)
    for name in EVENTS:
        np.testing.assert_allclose(found[name], draws[name].mean(("chain", "draw")), rtol=1e-12)
    assert float(found["never"].sel(variable=[*CENSORED]).min()) > 0.1
    assert float(found["undefined"].sel(variable=[*CONDITIONAL]).min()) > 0.1


def test_a_run_gives_the_quantiles_of_its_projection(prior_run: xr.DataTree) -> None:
    found = quantiles_of(prior_run, years=YEARS, levels=LEVELS, draws=211)
    draws = project(prior_run, years=YEARS)
    for name in job.HEADLINE:
        first = draws[name].values.reshape(300, 2)[:211]
        np.testing.assert_allclose(found[name][0], np.quantile(first, LEVELS, axis=0).T, rtol=1e-12)
    assert found.attrs["source"] == "prior"
    assert "random_seed" not in found.attrs


def test_more_draws_than_a_run_has_are_refused_with_what_helps(prior_run: xr.DataTree) -> None:
    with pytest.raises(InputError, match=r"draws = 301: the run has 300, .* repeat them: give priors instead"):
        quantiles_of(prior_run, draws=301)


def test_an_endless_horizon_counts_as_never(priors: Priors) -> None:
    found = quantiles_of(
        priors, draws=2000, years=[2045], var_names=["log10_task_horizon"], horizon_form="superexponential"
    )
    assert 0.0 < float(found["never"][0, 0, 0]) < 1.0
    assert np.isposinf(found["log10_task_horizon"].sel(quantile=0.95)).all()


def test_a_view_moves_what_it_states(priors: Priors) -> None:
    asked: dict[str, Any] = {"draws": 2000, "years": [2035], "var_names": ["layers", "log10_world_flop_per_second"]}
    view = quantiles_of(load_priors(overlays=["davidson2023"]), **asked)
    base = quantiles_of(priors, **asked)
    assert not np.allclose(view["layers"], base["layers"])


def test_priors_that_leave_nothing_open_give_one_value(priors: Priors) -> None:
    names = ("log10_world_flop_per_second_2025", "world_compute_growth", "price_performance_growth", "budget_growth",
             "slowdown_year")  # fmt: skip
    held = priors.replace(**dict(zip(names, (21.5, 0.4, 0.14, 0.05, 2029.0), strict=True)))
    name = "log10_world_flop_per_second"
    found = quantiles_of(held, draws=1000, years=[2027], var_names=[name], engine="compiled")
    assert found[name].shape == (1, 1, 5)
    np.testing.assert_allclose(found[name][0, 0], 21.5 + 0.4 * (2027 + 181 / 365 - 2025.0), rtol=1e-12)


def test_progress_is_told_to_the_end(priors: Priors) -> None:
    told: list[tuple[str, int, int]] = []
    quantiles_of(
        priors,
        draws=ATOM + 5,
        years=[2030],
        chunk=ATOM,
        progress=lambda *step: told.append(step),
    )
    assert told == [("drawing", done, ATOM + 5) for done in (0, ATOM, ATOM + 5)]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"output": "takeof"}, "no output named 'takeof'; did you mean 'takeoff'"),
        ({"draws": 0}, "draws = 0: give a whole number from 1 to"),
        ({"draws": 2.5}, "draws = 2.5: give a whole number"),
        ({"draws": np.nan}, "draws = nan: give a whole number"),
        ({"draws": 1e13}, "whole number from 1 to 1e"),
        ({"levels": [0.5, 1.2]}, "quantiles between 0 and 1"),
        ({"levels": []}, "quantiles between 0 and 1"),
        ({"var_names": ["layer"]}, "no variable named 'layer'; did you mean 'layers'"),
        ({"var_names": ["year_100"]}, "no variable named 'year_100'"),
        ({"var_names": []}, "no variable given"),
        ({"years": [2045, 2030]}, "rising order"),
        ({"scenario": "basline"}, "did you mean 'baseline'"),
        ({"horizon_form": "linear"}, "no task-horizon form named 'linear'"),
        ({"random_seed": -1}, "random_seed = -1"),
        ({"chunk": 0}, "chunk = 0: give a positive number"),
        ({"engine": "fortran"}, "no engine of the projection named 'fortran'"),
        ({"engine": "jax"}, "made for auto, numpy or compiled"),
        ({"executor": "cloud:3"}, "executor 'cloud:3'"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_drawn(
    priors: Priors, wrong: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "counts_of", None)
    with pytest.raises(InputError, match=message):
        quantiles_of(priors, **{"draws": 100, **wrong})


def test_numbers_that_went_wrong_are_never_summarised(prior_run: xr.DataTree) -> None:
    broken = prior_run.copy(deep=True)
    broken["posterior"]["tokens_per_param_2024"][0, 3] = -1.0
    with np.errstate(invalid="ignore"), pytest.raises(ForecastError, match="log10_parallel_streams: 1 of 300 draws"):
        quantiles_of(broken, years=[2030])


def test_rows_are_those_of_the_summary_with_the_error_beside_them(prior_run: xr.DataTree) -> None:
    trend = quantiles_of(prior_run, years=YEARS, levels=(0.05, 0.5, 0.999))
    frame = quantile_rows(trend)
    assert list(frame.columns[:7]) == ["scenario", "variable", "year", "units", "q05", "q50", "q99.9"]
    assert frame["year"].tolist() == YEARS * 2
    assert (frame["bin_error"] == 0.0).all()
    fast = quantile_rows(quantiles_of(prior_run, "takeoff")).set_index(["scenario", "variable"])
    assert np.isnan(fast.loc[("baseline", "acceleration"), "q50"])
    reached = np.isfinite(takeoff(prior_run, "baseline")["year_100"]).mean()
    assert fast.loc[("baseline", "year_100"), "probability"] == pytest.approx(float(reached))
    assert np.isposinf(fast.loc[("baseline", "year_100"), "q95"])


def test_people_read_counts_and_how_exact_they_are(prior_run: xr.DataTree, monkeypatch: pytest.MonkeyPatch) -> None:
    found = quantiles_of(prior_run, "takeoff")
    shown = quantile_words(quantile_rows(found)).set_index(["scenario", "variable"])
    assert shown.loc[("baseline", "streams_at_automation"), "units"] == "streams"
    assert shown.loc[("baseline", "streams_at_automation"), "q95"].endswith(("million", "billion", "trillion"))
    assert shown.loc[("baseline", "year_100"), "q95"] == "never"
    assert shown.loc[("baseline", "acceleration"), "probability"].endswith("%")
    assert accuracy_sentence(found) == "300 draws of the prior; quantiles are those of the draws themselves."
    assert "by the end of 2045" in shares_sentence(found)
    monkeypatch.setattr(job, "EXACT", 0)
    binned = quantiles_of(prior_run, "takeoff", var_names=["year_100", "takeoff_years"])
    assert accuracy_sentence(binned).endswith("quantiles are off by 0.001 yr, 0.098% at most.")
    assert shares_sentence(quantiles_of(prior_run, years=[2030])) == ""


GROWTH = """
import resource
from forecast import load_priors, quantiles_of
from forecast.many import job

job.EXACT = 0
for draws in (50_000, 250_000):
    quantiles_of(load_priors(), draws=draws, years=[2030], engine="numpy")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_draws() -> None:
    """200,000 draws more of 80 parameters would be 128 MB."""
    done = subprocess.run([sys.executable, "-c", GROWTH], capture_output=True, text=True, check=True)
    few, many = map(int, done.stdout.split())
    assert (many - few) / 1024 < 20.0


FULL = """
import resource, time
from forecast import load_priors, quantiles_of
from forecast.many.results import accuracy_sentence, quantile_rows, quantile_words

start = time.perf_counter()
found = quantiles_of(load_priors(), {output!r}, {draws}, years={years}, executor={executor!r})
print(quantile_words(quantile_rows(found)).to_string(), accuracy_sentence(found), sep="\\n")
print(f"{{time.perf_counter() - start:.0f}} s")
own, theirs = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(max(own, theirs))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("output", "draws", "years"),
    [("project", 100_000_000, [2027, 2030, 2040]), ("takeoff", 10_000_000, list(range(2026, 2046)))],
)
def test_full_size_runs_fit_into_a_gigabyte(output: str, draws: int, years: list[int]) -> None:
    """Prints the quantiles, the seconds, and the peak of the largest process in KiB: some minutes, some ten minutes."""
    program = FULL.format(output=output, draws=draws, years=years, executor="processes:2")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    print(done.stdout)
    assert int(done.stdout.split()[-1]) < 1024**2
