"""What a run says: series, read-outs, implied values and coherence, and all of it as the rows of ``summary.csv``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd
import xarray as xr

from forecast.coherence import EVENTS, LIMIT, coherence
from forecast.dynamics import takeoff_with_years
from forecast.headlines import Headline, headline
from forecast.overlays import spoken_label
from forecast.projection import project
from forecast.reporting.content import Coherence
from forecast.reporting.implied import implied_values
from forecast.runs import parameters_of, read_provenance
from forecast.summaries import length_rows, probability_rows, summary

SCENARIOS = ("baseline", "software_only")


@dataclass(frozen=True)
class Forecasts:
    """What a run says: by-year series without and with feedback, read-outs, implied values and coherence."""

    trend: xr.Dataset
    feedback: xr.Dataset
    readouts: xr.Dataset
    implied: xr.Dataset
    coherence: tuple[Coherence, ...]

    @property
    def scenarios(self) -> list[str]:
        """Names in the order asked for; the first is the main one."""
        return [str(name) for name in self.readouts["scenario"].values]

    def headline(self, scenario: str | None = None) -> Headline:
        """Both headlines of a scenario, by default of the main one."""
        return headline(self.feedback, self.readouts, scenario=scenario or self.scenarios[0])


def forecasts(run: xr.DataTree, scenarios: Sequence[str] = SCENARIOS, years: Iterable[int] | None = None) -> Forecasts:
    """Project a run and let it take off."""
    chosen = None if years is None else list(years)
    trend = project(run, scenarios, chosen)
    readouts, feedback = takeoff_with_years(run, scenarios, chosen)
    p = parameters_of(run)
    limits = coherence(feedback, readouts, p)
    verdicts = tuple(Coherence(EVENTS[name], share, LIMIT, share < LIMIT) for name, share in limits.items())
    return Forecasts(trend, feedback, readouts, implied_values(p, readouts["year_100"][0].values.ravel()), verdicts)


def run_marks(run: xr.DataTree) -> tuple[str, ...]:
    """What must be said with every number of a run, by what its file says of it."""
    record = read_provenance(run)
    gate = record.get("gate")
    prior = ("prior only",) if record["kind"] == "prior" else ()
    views = tuple(spoken_label(label) for label in record.get("views", ()))
    return prior + views + (("convergence gate failed",) if gate is not None and not gate["passed"] else ())


def marked(form: str, marks: Sequence[str]) -> str:
    """The name of a form with what must be known of its numbers: ``"section5 (prior only)"``."""
    return f"{form} ({', '.join(marks)})" if marks else form


def summary_frame(found: Forecasts, marks: Sequence[str] = ()) -> pd.DataFrame:
    """All rows of ``summary.csv``; a row is found by scenario, form, variable and year."""
    trend, feedback = marked("trend", marks), marked("section5", marks)
    last_year = int(found.feedback["year"].values.max())
    parts = [
        summary(found.trend, form=trend),
        summary(found.feedback, found.readouts, form=feedback),
        *_implied_rows(found, feedback),
        probability_rows(found.trend, form=trend),
        probability_rows(found.feedback, found.readouts, form=feedback),
        length_rows(found.readouts, last_year, form=feedback),
        _coherence_rows(found.coherence, feedback),
    ]
    return pd.concat([part.dropna(axis="columns", how="all") for part in parts], ignore_index=True)[parts[0].columns]


def _implied_rows(found: Forecasts, form: str) -> list[pd.DataFrame]:
    """One frame per implied value, over the draws that have one."""
    rows = []
    for name, values in found.implied.data_vars.items():
        known = values.dropna("draw")
        if known.sizes["draw"]:
            rows.append(summary(known.to_dataset(name=name).assign_coords(scenario=found.scenarios[0]), form=form))
    return rows


def _coherence_rows(verdicts: Iterable[Coherence], form: str) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "scenario": "all",
                "form": form,
                "variable": f"coherence: {row.name}",
                "units": "1",
                "probability": row.probability,
                "definition": f"share of draws that contradict themselves, limit {row.limit:g}; the worst scenario",
            }
            for row in verdicts
        ]
    )
