"""The numbers of the README: computed here, printed there, compared by ``test_readme.py``."""

from __future__ import annotations

import numpy as np
import xarray as xr

import forecast as fc
from forecast.evaluation.backtest_words import skill_words, whole
from forecast.quantiles import quantile
from forecast.summaries import number

QUANTILES = (0.05, 0.5, 0.95)


def spread(values: xr.DataArray, power: float | None = None) -> str:
    low, middle, high = np.quantile(values, QUANTILES, method="inverted_cdf")
    show = (lambda x: number(power**x)) if power else number
    return f"{show(middle)} | {show(low)} to {show(high)}"


def interval(values: xr.DataArray, form: str) -> str:
    show = {"count": lambda x: number(10.0**x), "years": lambda x: f"{x:.1f}", "date": lambda x: f"{int(x)}"}[form]
    low, middle, high = (show(x) if np.isfinite(x) else "not by 2045" for x in quantile(values, QUANTILES).values)
    return f"{middle} | {low} to {high}"


def numbers(run: xr.DataTree) -> dict[str, str]:
    found = fc.takeoff(run, "baseline").sel(scenario="baseline")

    def percent(name: str) -> str:
        return f"{100.0 * float(found[name].mean()):.1f}%"

    return {
        "streams": interval(found.log10_streams_at_automation, "count"),
        "human": interval(found.log10_human_equivalents_at_automation, "count"),
        "length": interval(found.takeoff_years, "years"),
        "year": interval(found.year_100, "date"),
        "p_not": percent("not_automated"),
        "p_1": percent("takeoff_within_1_year"),
        "p_3": percent("takeoff_within_3_years"),
        "p_20": percent("already_20"),
        "p_acc": percent("acceleration"),
    }


def backtests() -> dict[str, str]:
    """The kept back-tests: label -> columns of the README's table."""
    labels = {"vintage": "priors as of each cut", "today": "today's priors"}
    found = {}
    for name, label in labels.items():
        rows = fc.kept_backtests()[name].rows
        every = fc.skill(rows, ["table"]).iloc[0]
        shares = f"{whole(every['coverage_50'])} | {whole(every['coverage_90'])}"
        skills = f"{skill_words(every, 'line')} | {skill_words(every, 'last')}"
        found[label] = f"{every['n']:.0f}, of {every['figures']:.0f} figures | {shares} | {skills}"
    return found


def questions(run: xr.DataTree) -> dict[str, str]:
    """The further questions: label -> "median | interval" or "share | "."""
    automation = fc.takeoff(run, "baseline").year_100.sel(scenario="baseline")
    corps, pace, jump, seen = fc.organisations(run), fc.speedup(run, automation), fc.leap(run), fc.watch(run)
    began = jump.log10_system_cost_usd.notnull()
    mixed = fc.mixture(fc.all_forms(run), fc.form_weights(run))
    low, middle, high = (number(x) for x in mixed.best_year_gain.sel(quantile=[0.05, 0.5, 0.95]).values.tolist())
    between = mixed.best_year_gain_structure_share_of_ranks
    year = jump.sel(month=12)

    def percent(values: xr.DataArray) -> str:
        return f"{100.0 * float(values.mean()):.1f}% | "

    slow, automated = (corps.sel(organisation=name) for name in ("SlowCorp", "AutomatedCorp"))
    return {
        "SlowCorp's progress with its surplus left idle, NormalCorp = 1": spread(
            slow.log10_progress.sel(practice="surplus_idle"), 10.0
        ),
        "the same, practice evolved under its constraints": spread(slow.log10_progress.sel(practice="evolved"), 10.0),
        "AutomatedCorp's research, practice evolved, NormalCorp = 1": spread(
            automated.log10_research.sel(practice="evolved"), 10.0
        ),
        "research speed-up, AIs implementing people's ideas": spread(pace.log10_speedup, 10.0),
        "the same, fully automated researchers": spread(pace.log10_speedup_fully_automated, 10.0),
        "P(30 times or more) with people's ideas": percent(pace.at_least_30),
        "P(30 times or more) fully automated": percent(pace.at_least_30_fully_automated),
        "fleet a year after a leap for 100 times begins, times that before": spread(
            year.log10_fleet_multiple.stack(s=["chain", "draw"]).dropna("s"), 10.0
        ),
        "P(a year on, hardware gained more than software alone), where it begins": percent(
            jump.hardware_beats_software.where(began)
        ),
        "OOM of software in the best 12 months, mixture of forms": f"{middle} | {low} to {high}",
        "share of its variance (of ranks) that lies between forms": percent(between),
        "P(full automation by the end of 2030)": percent(seen.event_probability[0]),
    }


def drivers(run: xr.DataTree) -> dict[str, str]:
    """The three inputs that make most of each headline's spread: label -> "share | interval"."""
    found = fc.sensitivity(run, scaling=False)
    rows = {}
    for output, label in (
        ("log10_streams_at_automation", "number of AIs"),
        ("takeoff_years", "years from 20% to 100%"),
    ):
        for row in found.inputs[found.inputs["output"] == output].head(3).to_dict("records"):
            low, high = 100.0 * row["low"], 100.0 * row["high"]
            rows[f"{label}: `{row['input']}`"] = f"{100.0 * row['share']:.0f}% | {low:.0f}% to {high:.0f}%"
    return rows
