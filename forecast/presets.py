"""Low, central and high inputs: a few parameters fixed together, as an overlay for a run.

One thing to know: `low` is a set of inputs and not the 10th percentile of the answer. Inputs that are all at their 10th
percentile at once are rarer than one draw in ten, the more of them the rarer, and the answers lie further out accordingly
(``tests/test_presets.py`` pins it). How many inputs and which percentiles stands in ``exploring.toml``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr
from scipy.stats import rankdata

from forecast.coherence import LIMIT
from forecast.dynamics import takeoff, takeoff_with_years
from forecast.errors import InputError
from forecast.exploring import PRESETS, exploring
from forecast.families import suggestion
from forecast.overlays import PRESET, VIEW, AnyOverlay, Overlay, joined
from forecast.prior_files import JUDGEMENT
from forecast.priors import read_overlay
from forecast.runs import parameters_of, read_provenance
from forecast.schema import ALTERNATIVES, PRODUCTION
from forecast.side_draws import thinned
from forecast.statements import Prior, fixed
from forecast.views import apply_view, sampled
from forecast.words import percent

OUTPUT = "log10_parallel_streams"
NOISE = 3.0  # standard errors within which a rank correlation may be none, and its sign chance
FEW = 400  # draws that say whether the present still holds


def preset(run: xr.DataTree, name: str, views: AnyOverlay | Iterable[AnyOverlay] = ()) -> Overlay:
    """The inputs that matter most for the number of AIs by year, all at the percentile of fewer, middling or more AIs.

    Of a view, those that it states, as far as they bear on that number; else, and of a run as it is, those whose rank says
    most about it. What is fixed or set already stays as it is.

    Parameters
    ----------
    run : xarray.DataTree
        A fitted run or one of the prior.
    name : {"low", "central", "high"}
        A set of inputs. ``low`` is not the 10th percentile of the answer: fixing all of them there is rarer.
    views : str, Path, Overlay, or an iterable of them
        What the run is seen through; percentiles are then those of the view.

    Returns
    -------
    Overlay
        Fixed values; its ``description`` says which and why. Apply it after the views, ``apply_view(run, *views, low)``:
        all else follows along the regression of the posterior and keeps its spread.

    Raises
    ------
    InputError
        For an unknown name or view, or where no parameter that varies has to do with the number of AIs.

    Examples
    --------
    >>> from forecast import load_run
    >>> run = load_run("forecast-out/run.nc")  # doctest: +SKIP
    >>> print(preset(run, "low", "davidson2023").description)  # doctest: +SKIP
    """
    if name not in PRESETS:
        raise InputError(f"no preset named {name!r}{suggestion(name, PRESETS)}")
    return presets(run, views)[name]


def presets(run: xr.DataTree, views: AnyOverlay | Iterable[AnyOverlay] = ()) -> dict[str, Overlay]:
    """`preset` of all three names, for the price of one."""
    given = [views] if isinstance(views, str | Path | Overlay) else list(views)
    overlays, settings = [read_overlay(view) for view in given], exploring()
    seen = apply_view(run, *overlays) if overlays else run
    year = int(seen["constant_data"]["as_of_year"]) + settings.years_ahead
    chosen = chosen_inputs(influences(seen, year), overlays, settings.parameters)
    if not chosen:
        raise InputError(
            f"nothing that varies here has to do with the number of AIs in {year}: there is no preset to make"
        )
    p, found = parameters_of(seen), {}
    for name, level in settings.levels.items():
        at = {parameter: level if sign > 0.0 else 1.0 - level for parameter, sign in chosen.items()}
        entries = {parameter: fixed(float(np.quantile(p[parameter], q))) for parameter, q in at.items()}
        said = preset_sentence(
            name, {parameter: prior.params["value"] for parameter, prior in entries.items()}, at, year
        )
        bare = Overlay(name, said, entries, {}, {}, PRESET)
        found[name] = replace(
            bare, entries=_explained(bare, at), description=said + past_sentence(run, *overlays, bare)
        )
    return found


def past_sentence(run: xr.DataTree, *overlays: Overlay) -> str:
    """What to say where the inputs together deny the present: full automation would have come already; else nothing."""
    few = thinned(apply_view(run, *overlays), FEW)  # thinned first, weak correlations would not be followed
    as_of = float(run["constant_data"]["as_of_year"])
    share = float((takeoff(few, "baseline", [int(as_of)])["year_100"].values <= as_of).mean())
    if share < LIMIT:
        return ""
    return f" In {percent(share)} of its draws AI R&D would be fully automated today, which it is not: read it with caution."


def with_presets(run: xr.DataTree, views: Iterable[AnyOverlay], names: Sequence[str]) -> list[AnyOverlay]:
    """Each view followed by its presets of these names, as views of their own; those of the run itself where there is none.

    Parameters
    ----------
    run : xarray.DataTree
        A fitted run or one of the prior.
    views : iterable of str, Path or Overlay
        What is to stand side by side.
    names : sequence of str
        Some of "low", "central", "high".
    """
    given = list(views)
    if not names:
        return given
    if not given:
        made = presets(run)
        return [made[name] for name in dict.fromkeys(names)]
    found: list[AnyOverlay] = []
    for view in given:
        base, made = read_overlay(view), presets(run, view)
        found += [view, *(joined(f"{base.label} {name}", base, made[name]) for name in dict.fromkeys(names))]
    return found


def influences(run: xr.DataTree, year: int) -> dict[str, float]:
    """Rank correlation of every parameter with the number of AIs in a year, with feedback, the strongest first.

    One within `NOISE` standard errors of none is left out, for its sign is chance.

    Parameters
    ----------
    run : xarray.DataTree
        A fitted run or one of the prior.
    year : int
        Calendar year, read at 1 July.
    """
    p = parameters_of(run)
    names = [name for name in sampled(p) if name in read_provenance(run)["priors"]]
    _, series = takeoff_with_years(run, "baseline", [year])
    ranks = np.stack([rankdata(values) for values in (series[OUTPUT].values, *(p[name] for name in names))])
    found = dict(zip(names, np.corrcoef(ranks)[0, 1:].tolist(), strict=True))
    noise = NOISE / np.sqrt(ranks.shape[1])
    return {name: found[name] for name in sorted(found, key=lambda name: -abs(found[name])) if abs(found[name]) > noise}


def chosen_inputs(found: Mapping[str, float], overlays: Sequence[Overlay], number: int) -> dict[str, float]:
    """The strongest of those that a view states; where it states none of them, the strongest of all."""
    entries = {name for overlay in overlays for name in overlay.entries}
    stated = {name for overlay in overlays if overlay.kind == VIEW for name in overlay.entries}
    follow = {ALTERNATIVES[name] for name in entries if name in ALTERNATIVES}  # what they are stated instead of
    free = [name for name in found if name not in follow and (name in entries or name not in PRODUCTION)]
    chosen = [name for name in free if name in stated] or free
    return {name: found[name] for name in chosen[:number]}


def preset_sentence(name: str, values: Mapping[str, float], at: Mapping[str, float], year: int) -> str:
    """Which inputs a preset fixes at what.

    >>> preset_sentence("low", {"automation_gap": 6.21}, {"automation_gap": 0.9}, 2031)
    'Preset low: where it goes with fewer AIs in 2031, automation_gap = 6.21 (90th percentile); all else follows and keeps \
its spread. It is a set of inputs, not a percentile of the answer.'
    """
    meant = {"low": "where it goes with fewer AIs", "central": "at the middle of what matters for the number of AIs"}
    said = ", ".join(f"{parameter} = {value:.4g} ({_percentile(at[parameter])})" for parameter, value in values.items())
    return (
        f"Preset {name}: {meant.get(name, 'where it goes with more AIs')} in {year}, {said}; all else follows and keeps its "
        "spread. It is a set of inputs, not a percentile of the answer."
    )


def _explained(overlay: Overlay, at: Mapping[str, float]) -> dict[str, Prior]:
    """The entries with where they come from."""
    return {
        name: replace(
            prior, source=(JUDGEMENT,), rationale=f"preset {overlay.name}: {_percentile(at[name])} of the draws"
        )
        for name, prior in overlay.entries.items()
    }


def _percentile(level: float) -> str:
    return "median" if level == 0.5 else f"{100 * level:.0f}th percentile"
