"""From a run and its forecasts to the values that the report prints."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import xarray as xr

from forecast.convergence import MAX_RHAT, MIN_ESS
from forecast.overlays import spoken_label
from forecast.records import parameter_frame, tables_of
from forecast.reporting.content import Gate, ReportContent, Section, Table
from forecast.reporting.figures import make_figures
from forecast.reporting.forecasts import Forecasts
from forecast.reporting.implied import implied_table
from forecast.reporting.tables import make_tables
from forecast.runs import read_provenance

TITLE = "How many AIs, and how fast a take-off"
WITHOUT_FEEDBACK = "software on its trend"
LAST_COLUMNS = ("source", "licence", "provenance", "note")
NOTES = (
    "The years are read at 1 July, and the year of the last observation at its date.",
    "“Software on its trend” lets software grow at today's people-only rate for ever. Everywhere else AIs speed research "
    "up, but ideas get harder to find as software improves: late in the window that can be slower than the trend.",
    "Effective compute is the largest run's compute and software, less the compute that a compute-optimal model of the "
    "same loss would have saved: today's runs use more tokens per parameter than the optimum.",
    "Once full automation is past, the smallest model that does the work shrinks as software improves, with no floor: "
    "the upper ends of the last years are what the formula gives; forecast check holds them against physical limits.",
    "Today's automated share (40% ± 20%) and speed-up (1.4) are judgements from surveys and trials, in the table "
    "conditions. They move the date of full automation more than any other figure.",
)


def report_content(run: xr.DataTree, found: Forecasts, sections: Sequence[Section] = ()) -> ReportContent:
    """Everything the report prints, from a run that explains itself (`records.described`), its forecasts and answers."""
    record = read_provenance(run)
    series = with_trend(found)
    return ReportContent(
        title=TITLE,
        as_of=record["as_of"],
        headline=found.headline(),
        gate=gate_rows(record.get("gate")),
        coherence=found.coherence,
        figures=make_figures(series, found.readouts),
        tables=make_tables(series, found.readouts),
        parameters=parameter_frame(run),
        implied=implied_table(found.implied),
        observations=observation_tables(run),
        provenance=facts(record),
        command=record.get("command")
        or command_line(
            record["settings"],
            record["as_of"],
            found.scenarios,
            found.feedback["year"].values.tolist(),
            prior_only=record["kind"] == "prior",
        ),
        prior_only=record["kind"] == "prior",
        sections=tuple(sections),
        notes=NOTES,
        citation=citation(record),
    )


def with_trend(found: Forecasts) -> xr.Dataset:
    """By-year series with feedback, and the main scenario's without it as a last one beside them."""
    main = found.trend.sel(scenario=[found.scenarios[0]]).assign_coords(scenario=[WITHOUT_FEEDBACK])
    return xr.concat([found.feedback, main], "scenario", join="exact", combine_attrs="override")


def gate_rows(record: Mapping[str, Any] | None) -> tuple[Gate, ...]:
    """The convergence gate as stored in the run, a row per test; none for draws of the prior."""
    if record is None:
        return ()
    enough = f"at least {MIN_ESS:.0f}"
    worst, rhat, bulk, tail = (record[key] for key in ("worst", "max_rhat", "min_ess_bulk", "min_ess_tail"))
    return (
        Gate("divergent transitions", record["divergences"], "0", record["divergences"] == 0),
        Gate(f"largest R-hat ({worst['rhat']})", f"{rhat:.4f}", f"at most {MAX_RHAT:g}", rhat <= MAX_RHAT),
        Gate(f"smallest bulk ESS ({worst['bulk']})", f"{bulk:.0f}", enough, bulk >= MIN_ESS),
        Gate(f"smallest tail ESS ({worst['tail']})", f"{tail:.0f}", enough, tail >= MIN_ESS),
    )


def observation_tables(run: xr.DataTree) -> tuple[Table, ...]:
    """Every table with its columns of citation last."""
    tables = []
    for name, frame in sorted(tables_of(run).items()):
        order = [c for c in frame if c not in LAST_COLUMNS] + [c for c in LAST_COLUMNS if c in frame]
        tables.append(Table(f"table-{name}", name.replace("_", " "), _without_blank_columns(frame[order])))
    return tuple(tables)


def facts(record: Mapping[str, Any]) -> dict[str, str]:
    """Versions, seed, sampler and digests, by label."""
    settings, digests = record["settings"], record["digests"]
    prior = record["kind"] == "prior"
    sampler = "independent draws of the prior" if prior else "nutpie (NUTS, low-rank mass matrix), numba backend"
    tuned = "" if prior else f" after {settings['tune']} of tuning"
    taken = "; they came with the package, rounded to nine digits" if record.get("shipped") else ""
    own = sorted(name for name, origin in record.get("origin", {}).items() if origin != "shipped")
    return {
        "Draws": f"{settings['chains']} chains x {settings['draws']}{tuned}, seed {settings['random_seed']}{taken}",
        "Sampler": sampler,
        "As of": record["as_of"],
        "Overlays of the priors": "; ".join(record.get("overlays", ())) or "none",
        "Tables": f"shipped, but own {', '.join(own)}" if own else "shipped",
        "Versions": ", ".join(f"{name} {version}" for name, version in record["versions"].items()),
        "Schema": str(record["schema"]),
        "Digest of the priors": digests["priors"],
        "Digest of the run": digests["fit"],
    }


def citation(record: Mapping[str, Any]) -> str:
    """What to say of any number of a run: package, date of the last figure, run, and the condition they all share.

    >>> citation({"versions": {"forecast": "0.1.0"}, "as_of": "2026-11-01", "digests": {"fit": "3f" * 32}})
    'forecast 0.1.0, public figures up to 2026-11-01, run 3f3f3f3f3f3f, conditional on its model'
    """
    version, digest = record["versions"]["forecast"], record["digests"]["fit"][:12]
    views = f", {' and '.join(map(spoken_label, record['views']))}" if record.get("views") else ""
    return f"forecast {version}, public figures up to {record['as_of']}{views}, run {digest}, conditional on its model"


def command_line(
    settings: Mapping[str, int],
    as_of: str,
    scenarios: Sequence[str],
    years: Sequence[int],
    views: Sequence[str] = (),
    priors: str | None = None,
    tables: str | None = None,
    prior_only: bool = False,
    assignments: Sequence[str] = (),
) -> str:
    """The command that makes such a run again, with every setting spelled out."""
    flags = [("--seed", settings["random_seed"]), ("--draws", settings["draws"]), ("--as-of", as_of)]
    flags += [("--scenario", name) for name in scenarios] + [("--years", f"{min(years)}:{max(years)}")]
    flags += [("--view", view) for view in views] + [("--set", text) for text in assignments]
    flags += [(name, value) for name, value in (("--priors", priors), ("--tables", tables)) if value]
    parts = [str(part) for flag in flags for part in flag]
    return shlex.join(["uv", "run", "forecast", "run", *parts, *(["--prior-only"] if prior_only else [])])


def _without_blank_columns(frame: pd.DataFrame) -> pd.DataFrame:
    blank = [name for name in frame if frame[name].isna().all() or (frame[name].astype(str) == "").all()]
    return frame.drop(columns=blank).reset_index(drop=True)
