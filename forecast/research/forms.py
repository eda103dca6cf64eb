"""Rival forms of the take-off as a table and in a sentence: one currency, each form's own definition beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from forecast.dynamics import takeoff
from forecast.dynamics.forms import PARAMETERS_FROM, RIVALS, STAGES, SUPEREXPONENTIAL, compare_forms, form_label
from forecast.quantiles import quantile
from forecast.words import number, percent

LEVELS = (0.05, 0.5, 0.95)
FORM_WORDS = {
    "section5": "this model",
    SUPEREXPONENTIAL: "this model, superexponential horizons",
    "davidson_houlden2025": "Davidson & Houlden 2025",
    "ai2027": "AI 2027",
    "kwa2026": "Kwa 2026",
}
MIXTURE = "mixture"
COLUMNS = (
    "form",
    "best_year_gain_q05",
    "best_year_gain_q50",
    "best_year_gain_q95",
    "best_year_gain_human_years_q05",
    "best_year_gain_human_years_q50",
    "best_year_gain_human_years_q95",
    "best_year_3_human_years",
    "best_year_10_human_years",
    "takeoff_years_q05",
    "takeoff_years_q50",
    "takeoff_years_q95",
    "own_definition",
)


def all_forms(run: xr.DataTree, readouts: xr.Dataset | None = None, years: Iterable[int] | None = None) -> xr.Dataset:
    """`compare_forms` with the superexponential task horizon as one more row; `readouts` of the baseline if at hand.

    Parameters
    ----------
    run : xarray.DataTree
        A fitted run or one of the prior.
    readouts : xarray.Dataset, optional
        What `takeoff` returns for the scenario baseline, if it is at hand.
    years : iterable of int, optional
        The window, as for `takeoff`.

    Returns
    -------
    xarray.Dataset
        As `compare_forms`: dims (form, chain, draw).

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.sample_prior(fc.load_priors(), fc.load_observations(), draws=20, chains=2)
    >>> "kwa2026" in fc.all_forms(run).form.values
    True
    """
    window = None if years is None else list(years)
    own = takeoff(run, "baseline", window) if readouts is None else readouts
    faster = takeoff(run, "baseline", window, horizon_form="superexponential")
    return compare_forms(run, own, years=window, superexponential=faster)


def forms_table(comparison: xr.Dataset, mixed: xr.Dataset | None = None) -> pd.DataFrame:
    """A row per form, the mixture last.

    Parameters
    ----------
    comparison
        What `compare_forms` returns.
    mixed
        What `mixture` returns for it, with quantiles 0.05, 0.5 and 0.95.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`: quantiles of the gains (OOM, years) and of the years from 20% to 100% (inf = not within the
        window, NaN where the form has no such length), probabilities of at least 3 and 10 years of people-only progress
        in 12 months, and what the form itself would say, in words.

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.sample_prior(fc.load_priors(), fc.load_observations(), draws=20, chains=2)
    >>> forms = fc.all_forms(run)
    >>> len(fc.forms_table(forms)) == forms.sizes["form"]
    True
    """
    rows = [_row(comparison, str(label)) for label in comparison.coords["form"].values]
    if mixed is not None:
        rows.append(_mixture_row(mixed))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def mixture_sentence(mixed: xr.Dataset) -> str:
    """The mixture's answer and whether structure or parameters make its spread.

    `mixed` is what `mixture` returns, with quantiles 0.05, 0.5 and 0.95.
    """
    low, median, high = mixed["best_year_gain"].sel(quantile=list(LEVELS)).values.tolist()
    shares = zip(mixed.coords["form"].values, mixed["weight"].values, strict=True)
    said = "; ".join(f"{form_words(str(form))} {percent(float(weight))}" for form, weight in shares)
    variance = float(mixed["best_year_gain_structure_share"])
    by_rank = float(mixed["best_year_gain_structure_share_of_ranks"])
    return (
        f"Over a mixture of forms ({said}), the best 12 months bring {number(median)} OOM of software "
        f"(90% interval {number(low)} to {number(high)}); {percent(variance)} of the variance is structure, lying between "
        f"forms, and {percent(1.0 - variance)} parameters, within them; of the variance of ranks, which tails cannot "
        f"stretch, {percent(by_rank)} and {percent(1.0 - by_rank)}."
    )


def form_words(label: str) -> str:
    """A label of `compare_forms` as a reader says it.

    >>> form_words("kwa2026 as published")
    'Kwa 2026, as published'
    """
    form, *published = label.split(" as ")
    return ", as ".join([FORM_WORDS.get(form, form), *published])


def own_words(comparison: xr.Dataset) -> dict[str, str]:
    """What each form says in its own terms, by its label in the comparison."""
    rivals = {form_label(form, q): WORDS_OF[form](comparison, q) for q in PARAMETERS_FROM for form in RIVALS}
    lengths = comparison.coords["takeoff_form"].values
    return {
        form: _section5_words(comparison, form) for form in ("section5", SUPEREXPONENTIAL) if form in lengths
    } | rivals


def _section5_words(comparison: xr.Dataset, form: str) -> str:
    length = comparison["takeoff_years"].sel(takeoff_form=form)
    return f"20% to 100% of AI R&D automated in {_spoken(length)} years"


def _davidson_houlden_words(comparison: xr.Dataset, parameters: str) -> str:
    three, ten = (
        float(comparison[f"davidson_houlden2025_compression_{years}_years"].sel(parameters=parameters).mean())
        for years in (3, 10)
    )
    return f"3 of its years (8 doublings each) within 12 months: {percent(three)}; 10: {percent(ten)}"


def _ai2027_words(comparison: xr.Dataset, parameters: str) -> str:
    total, *days = (
        number(float(comparison[f"ai2027_{name}"].sel(parameters=parameters).median()), 3)
        for name in ("human_only_years", *(f"days_to_{stage}" for stage in STAGES[1:]))
    )
    cut = ", of which no more than the software ceiling counts" if parameters == "posterior" else ""
    return (
        f"superhuman coder to researcher in {days[0]} days, to superhuman in {days[1]}, to superintelligence in {days[2]}: "
        f"{total} human-only years{cut}"
    )


def _kwa_words(comparison: xr.Dataset, parameters: str) -> str:
    year = comparison["kwa2026_year_99"].sel(parameters=parameters)
    return f"99% of AI R&D automated in {_spoken(year, _calendar_year)}"


WORDS_OF: dict[str, Callable[[xr.Dataset, str], str]] = {
    "davidson_houlden2025": _davidson_houlden_words,
    "ai2027": _ai2027_words,
    "kwa2026": _kwa_words,
}


def _calendar_year(value: float) -> str:
    return "never" if np.isinf(value) else str(int(value))


def _spoken(data: xr.DataArray, say: Callable[[float], str] = number) -> str:
    """Median and 90% interval in words; +inf is "never"."""
    low, median, high = (say(x) for x in quantile(data, LEVELS).values.tolist())
    return f"{median} (90% interval {low} to {high})"


def _row(comparison: xr.Dataset, label: str) -> dict[str, Any]:
    one = comparison.sel(form=label)
    row: dict[str, Any] = {"form": label, "own_definition": own_words(comparison).get(label, "")}
    for name in ("best_year_gain", "best_year_gain_human_years"):
        row |= _quantiles(name, quantile(one[name], LEVELS).values)
    for name in ("best_year_3_human_years", "best_year_10_human_years"):
        row[name] = float(one[name].mean())
    if label in comparison.coords["takeoff_form"].values:
        row |= _quantiles("takeoff_years", quantile(comparison["takeoff_years"].sel(takeoff_form=label), LEVELS).values)
    return row


def _mixture_row(mixed: xr.Dataset) -> dict[str, Any]:
    shares = zip(mixed.coords["form"].values, mixed["weight"].values, strict=True)
    row: dict[str, Any] = {
        "form": MIXTURE,
        "own_definition": "; ".join(f"{form_words(str(form))} {percent(float(weight))}" for form, weight in shares),
    }
    for name in ("best_year_gain", "best_year_gain_human_years"):
        row |= _quantiles(name, mixed[name].sel(quantile=list(LEVELS)).values)
    for name in ("best_year_3_human_years", "best_year_10_human_years"):
        row[name] = float(mixed[name])
    return row


def _quantiles(name: str, values: Any) -> dict[str, float]:
    return {f"{name}_q{100 * level:02.0f}": float(value) for level, value in zip(LEVELS, values, strict=True)}
