"""What `organisations` found, as tables for people and as sentences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from forecast.headlines import Estimate, count, estimate
from forecast.research.organisations import AUTOMATED, HUMAN_IDEAS, NORMAL, SLOW
from forecast.words import number, odds, percent, span

PRACTICE_WORDS = {
    "dropped_in": "today's",
    "surplus_idle": "today's, surplus left idle",
    "evolved": "evolved under its constraints",
}
PARAMETER_WORDS = {
    "infinite_labour_multiple": "Research multiple with infinite labour",
    "parallelization_exponent": "Worth of parallel labour (lambda)",
    "latency_ceiling": "Latency ceiling, people having the ideas",
    "labour_share": "Labour's share of research",
}
MEASURE_WORDS = {"progress": "progress (ln S)", "research": "research (S^beta - 1)"}
EFFECTS = {
    "Practice that does not fit": "log10_practice_effect",
    "Runs that do not fit": "log10_runs_effect",
    "Labour, compute, time": "log10_inputs_effect",
}
LEAST_PART, LARGEST_PART = 1e-12, 0.01
NONE_SUFFICES = "none suffices"


def organisations_table(data: xr.Dataset, prob: float = 0.9) -> pd.DataFrame:
    """A row per organisation and practice: progress and research relative to NormalCorp, and the factors they come from.

    Parameters
    ----------
    data
        What `organisations` returns.
    prob
        Mass of the equal-tailed intervals.
    """
    rows = []
    for name in data.coords["organisation"].values:
        for practice in data.coords["practice"].values:
            if name == NORMAL and practice != data.coords["practice"].values[-1]:
                continue  # 1 under every practice
            one = data.sel(organisation=name, practice=practice)
            progress = estimate(one["log10_progress"], prob, power=10.0)
            row = {
                "Organisation": str(name),
                "Practice": "any" if name == NORMAL else PRACTICE_WORDS[str(practice)],
                "Progress (NormalCorp = 1)": _share(progress.median),
                f"{prob:.0%} interval": _interval(progress),
                "Research (NormalCorp = 1)": _middle(one["log10_research"]),
                "Progress per year of its own time": _middle(one["log10_progress_per_subjective_year"]),
            }
            row |= {f"{label} (factor)": _middle(one[effect]) for label, effect in EFFECTS.items()}
            rows.append(row | {"H100 per researcher": number(float(one["h100_per_researcher"].median()), 3)})
    return pd.DataFrame(rows)


def requirements_table(data: xr.Dataset, prob: float = 0.9) -> pd.DataFrame:
    """A row per parameter and measure: what it would have to be for each multiple of NormalCorp.

    A cell holds the median required value and the share of the parameter's own draws that lie at or beyond what is
    required, the rest of the draw unchanged.
    """
    rows = []
    for parameter in data.coords["parameter"].values:
        for measure in data.coords["measure"].values:
            one = data.sel(parameter=parameter, measure=measure)
            row = {
                "Parameter": PARAMETER_WORDS[str(parameter)],
                "Its draws": count(estimate(one["own_value"], prob)),
                "AutomatedCorp reaches": MEASURE_WORDS[str(measure)],
            }
            for multiple in data.coords["multiple"].values:
                cell = one.sel(multiple=multiple)
                needed = estimate(cell["required"], prob).median
                said = NONE_SUFFICES if np.isinf(needed) else f"from {number(needed)}"
                row[f"{multiple:g}x NormalCorp"] = f"{said} ({percent(float(cell['beyond'].mean()))} beyond)"
            rows.append(row | {"Largest multiple at any value": count(estimate(one["largest_multiple"], prob))})
    return pd.DataFrame(rows)


def organisations_sentences(data: xr.Dataset, prob: float = 0.9) -> tuple[str, str, str]:
    """The answers in words: SlowCorp dropped in against evolved, AutomatedCorp, and larger pre-training."""
    return _slow(data, prob), _automated(data, prob), _pretraining(data, prob)


def _slow(data: xr.Dataset, prob: float) -> str:
    slow = data.sel(organisation=SLOW)
    dropped, idle, evolved = (
        estimate(slow["log10_progress"].sel(practice=practice), prob, power=10.0) for practice in PRACTICE_WORDS
    )
    here = slow.sel(practice="dropped_in")
    shares = [
        percent(float((here[effect] / here["log10_progress"]).median().clip(0.0, 1.0))) for effect in EFFECTS.values()
    ]
    return (
        f"Dropped into today's practice, SlowCorp makes {_shared(dropped)} of NormalCorp's progress, or {_shared(idle)} if "
        "it leaves idle the compute that it has no practice for; had practice evolved under its constraints, "
        f"{_shared(evolved)}. Of its shortfall when dropped in, in orders of magnitude, {shares[0]} comes from practice "
        f"that does not fit, {shares[1]} from runs that do not fit into its time and {shares[2]} from labour, compute and "
        "time (medians)."
    )


def _automated(data: xr.Dataset, prob: float) -> str:
    one = data.sel(organisation=AUTOMATED, practice="dropped_in")
    progress = estimate(one["log10_progress"], prob, power=10.0)
    research = estimate(one["log10_research"], prob, power=10.0)
    subjective = estimate(one["log10_progress_per_subjective_year"], prob, power=10.0)
    people = estimate(data["log10_progress"].sel(organisation=HUMAN_IDEAS, practice="dropped_in"), prob, power=10.0)
    factor = estimate(one["log10_practice_factor"], prob, power=10.0)
    tenfold = float((one["log10_research"] >= 1.0).mean())
    return (
        f"AutomatedCorp makes {count(progress)} times NormalCorp's progress ({number(subjective.median)} per year of its own "
        f"time), having done {count(research)} times its research; practice that does not fit costs it "
        f"{percent(1.0 - factor.median)} of its output. P(10 times NormalCorp's research) = {percent(tenfold)} "
        f"({odds(tenfold)}). If people went on having the ideas it would be {number(people.median)} times the progress."
    )


def _pretraining(data: xr.Dataset, prob: float) -> str:
    gain, years = (estimate(data[name], prob) for name in ("pretraining_gain", "pretraining_gain_human_years"))
    normal = data["software_gain"].sel(organisation=NORMAL, practice="evolved")
    more = float((data["pretraining_gain"] > normal).mean())
    return (
        f"With a year, SlowCorp's larger pre-training run would be worth {number(gain.median)} OOM of effective compute "
        f"({_interval(gain)}) at fixed software, as much as {number(years.median)} years of people-only software progress "
        f"({_interval(years)}); P(more than NormalCorp's software of a year) = {percent(more)}."
    )


def _middle(log10: xr.DataArray) -> str:
    return _share(10.0 ** float(log10.median()))


def _share(value: float) -> str:
    """A ratio in words; below a hundredth as one part of many: 1/1,500."""
    return f"1/{number(1.0 / value)}" if LEAST_PART < value < LARGEST_PART else number(value)


def _interval(value: Estimate) -> str:
    return span(_share(value.low), _share(value.high))


def _shared(value: Estimate) -> str:
    return f"{_share(value.median)} ({value.prob:.0%} interval {_interval(value)})"
