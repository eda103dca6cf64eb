"""The numbers of a state as files, with everything needed to know where they are from."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from forecast.dynamics.forms import RIVALS
from forecast.explorer.conditioned import OWN_FORM, Explorer, numbers
from forecast.explorer.states import State, query
from forecast.headlines import headline
from forecast.reporting.forecasts import marked
from forecast.research.rows import result_rows
from forecast.runs import version_of
from forecast.summaries import full_csv, summary

ORIGIN = ("view", "fixed", "run", "version")


def numbers_frame(page: Explorer, state: State) -> pd.DataFrame:
    """Everything the page shows of a state: the columns of ``summary.csv``, then where it is from.

    ``view``, ``fixed`` (name=value, joined by "; "), ``run`` (its digest) and ``version`` of the package are the same in
    every row, so that files of several states can be stacked.
    """
    found = numbers(page, state)
    own = OWN_FORM if state.form in RIVALS else state.form
    labelled = (data.assign_coords(scenario=state.scenario) for data in (found.yearly, found.readouts))
    parts = [summary(*labelled, form=marked(own, page.marks))]
    if found.rival is not None:
        parts.append(result_rows(found.rival, marked(state.form, page.marks), state.scenario))
    rows = pd.concat([part.dropna(axis="columns", how="all") for part in parts], ignore_index=True)[parts[0].columns]
    return rows.assign(**origin(page, state))


def origin(page: Explorer, state: State) -> dict[str, str]:
    """Where numbers are from, by the names of `ORIGIN`."""
    held = "; ".join(f"{name}={value!r}" for name, value in state.fixed)
    return dict(zip(ORIGIN, (state.view, held, page.record["digests"]["fit"], version_of("forecast")), strict=True))


def numbers_csv(page: Explorer, state: State) -> str:
    """`numbers_frame` as CSV."""
    return full_csv(numbers_frame(page, state))


def numbers_json(page: Explorer, state: State) -> str:
    """The same as JSON, with the state, the marks, the headline in words and the versions of the libraries."""
    found = numbers(page, state)
    said: dict[str, Any] = {
        "run": page.record["digests"]["fit"],
        "as_of": page.record["as_of"],
        "marks": list(page.marks),
        "versions": {**page.record["versions"], "forecast": version_of("forecast")},
        "state": {"scenario": state.scenario, "form": state.form, "view": state.view, "fixed": dict(state.fixed)},
        "query": query(state, page.digest),
        "draws": {"used": page.shape[0] * page.shape[1], "of": page.total_draws},
        "headline": list(headline(found.yearly, found.readouts, scenario=state.scenario).sentences),
    }
    rows = json.loads(numbers_frame(page, state).drop(columns=list(ORIGIN)).to_json(orient="records"))
    return json.dumps(said | {"rows": [plain(row) for row in rows]}, indent=1, ensure_ascii=False, allow_nan=False)


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row without the columns that are empty in it."""
    return {name: value for name, value in row.items() if value is not None}
