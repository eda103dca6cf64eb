"""The report's section on what drives the answer, and the one on which data matter, where the run file has it."""

from __future__ import annotations

from functools import partial

import pandas as pd
import xarray as xr

from forecast import driver_plots as plots
from forecast.drivers import tables
from forecast.drivers.evidence_tables import evidence_key, restored_evidence
from forecast.drivers.evidence_words import evidence_sentences, evidence_words
from forecast.drivers.sensitivity import Sensitivity, sensitivity
from forecast.errors import InputError
from forecast.reporting.answers import Answers
from forecast.reporting.content import Section, Table
from forecast.reporting.figures import drawn
from forecast.reporting.plain import title
from forecast.runs import EVIDENCE
from forecast.scenarios import load_scenario
from forecast.summaries import COLUMNS

NAME, TITLE = "drivers", "What drives the answer"
LEAD = (
    "How much of the spread of each headline answer each parameter makes, on the draws of this run. Parameters that the data "
    "tie together share what they say together (Shapley effects); draws in which full automation does not come count as the "
    "longest take-off and the fewest AIs, so that a tornado's middle lies a little off the headline's median. Intervals are "
    "over draws; what the analysis cannot share out stands in its own row. forecast sensitivity adds the worth of knowing "
    "each parameter, power-scaling of priors and tables, and Sobol indices of the prior."
)
OUTPUTS = ("log10_streams_at_automation", "takeoff_years")


def drivers_answer(run: xr.DataTree, scenario: str, years: list[int] | None) -> Answers:
    """What drives both headlines; a sentence that says why not where the draws do not allow it."""
    name = "baseline" if load_scenario(scenario).course == "leap" else scenario  # nothing of a leap is in the headlines
    try:
        found = sensitivity(run, None, name, years, scaling=False)
    except InputError as error:  # few draws, or an answer that is the same in all
        empty = pd.DataFrame(columns=list(COLUMNS))
        return Answers((Section(NAME, TITLE, LEAD, (f"Not answered: {error}.",), (), ()),), empty)
    figures, shown = [], []
    for output in OUTPUTS:
        heading = title(output)
        effects = plots.rows_of(found.inputs, output)
        spread = f"{heading}: what makes the spread"
        figures.append(drawn(f"drivers-{output}", partial(plots.plot_effects, found, output), spread, effects))
        if plots.can_be_drawn(found.tornado, output):
            swing = f"{heading}: median with one parameter at its 10th or 90th percentile, what the data tie to it following"
            ends = plots.rows_of(found.tornado, output)
            figures.append(drawn(f"tornado-{output}", partial(plots.plot_tornado, found, output), swing, ends))
        words = tables.effects_words(found, output), tables.tornado_words(found, output)
        shown.append(Table(f"effects-{output}", f"{heading}: shares of the spread", words[0]))
        shown.append(Table(f"tornado-table-{output}", f"{heading}: the tornado", words[1], folded=True))
    by_block = tables.blocks_words(found).rename(columns=title)
    blocks = Table("drivers-blocks", "Shares of the spread by block", by_block)
    section = Section(NAME, TITLE, LEAD, tables.drivers_sentences(found), tuple(figures), (blocks, *shown))
    return Answers((section,), rows_of_effects(found, name))


def rows_of_effects(found: Sensitivity, scenario: str) -> pd.DataFrame:
    """Shapley effects as rows of ``summary.csv``, the share in the median's column."""
    rows = [
        {
            "scenario": scenario,
            "form": "drivers",
            "variable": f"drivers of {row['output']} by {kind}: {row[kind]}",
            "units": "1",
            "q05": row["low"],
            "q50": row["share"],
            "q95": row["high"],
            "definition": f"Shapley effect of the {kind}: share of the variance, with a 90% interval over draws",
        }
        for kind, table in (("block", found.blocks), ("input", found.inputs))
        for row in table.to_dict("records")
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def evidence_answer(run: xr.DataTree, scenario: str, years: list[int] | None) -> list[Answers]:
    """Which data matter, if the run file knows: ``forecast sensitivity RUN --data`` writes it there."""
    found = restored_evidence(run.attrs.get(EVIDENCE), evidence_key(run, None, scenario, years))
    if found is None:
        return []
    words = evidence_words(found)
    captions = (*map(title, found.outputs), "What each block says")
    section = Section(
        "evidence",
        "Which data matter",
        "The model refitted with the blocks of observations added one after the other, from the prior to the posterior, and "
        "with each left out.",
        evidence_sentences(found),
        tuple(
            drawn(
                f"evidence-{output}",
                partial(plots.plot_waterfall, found, output),
                f"{title(output)}: from the prior to the posterior",
                plots.rows_of(found.steps, output),
            )
            for output in found.outputs
        ),
        tuple(
            Table(f"evidence-table-{index}", caption, frame, folded=True)
            for index, (caption, frame) in enumerate(zip(captions, words, strict=True))
        ),
    )
    return [Answers((section,), pd.DataFrame(columns=list(COLUMNS)))]
