"""The report's further questions: every section has a figure and a sentence, and a run file keeps the answers."""

from __future__ import annotations

import io
import json
import re
from html import escape

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from forecast.dynamics import takeoff
from forecast.reporting.answers import Answers, answers_key, restored, stored
from forecast.reporting.drivers_section import drivers_answer
from forecast.reporting.plain import NAME
from forecast.reporting.questions import answers
from forecast.reporting.research_section import curve_rows
from forecast.research.implementers import speedup, speedup_curve
from forecast.side_draws import thinned
from forecast.summaries import COLUMNS

NAMES = ("drivers", "forms", "views", "organisations", "implementers", "leap", "watch", "trust")


@pytest.fixture(scope="module")
def found(prior_run: xr.DataTree) -> Answers:
    few = thinned(prior_run, 60)
    return answers(few, takeoff(few, ["software_only", "baseline"]))


def test_every_question_has_a_section_with_a_figure_a_table_and_words(found: Answers) -> None:
    assert tuple(section.name for section in found.sections) == NAMES
    for section in found.sections[1:]:
        assert section.figures and section.tables, section.name
        assert section.sentences or len(section.intro) > 200, section.name
        for table in section.tables:
            assert len(table.frame) > 0


def test_sixty_draws_are_too_few_to_say_what_drives_them_and_the_section_says_so(found: Answers) -> None:
    drivers = found.sections[0]
    assert "60 draws are too few" in drivers.sentences[0]
    assert not drivers.figures


def test_what_drives_the_answer_has_a_figure_and_a_table_per_headline_and_rows_that_add_up(
    prior_run: xr.DataTree,
) -> None:
    found = drivers_answer(prior_run, "baseline", None)
    (section,) = found.sections
    assert len(section.figures) == 4
    assert len(section.tables) == 5
    assert section.sentences[0].startswith("Of what is uncertain about log10_streams_at_automation")
    assert list(section.tables[0].frame.columns)[1:] == [
        "Number of AIs at full automation",
        "Years from 20% to 100% automation",
    ]
    for output in ("takeoff_years", "log10_streams_at_automation"):
        blocks = found.rows[found.rows["variable"].str.startswith(f"drivers of {output} by block")]
        assert blocks["q50"].astype(float).sum() == pytest.approx(1.0, abs=1e-9)
    assert not found.rows["variable"].duplicated().any()


def test_a_hardware_leap_has_the_headlines_of_the_baseline(prior_run: xr.DataTree) -> None:
    """Nothing of a leap reaches what stands before full automation."""
    found = drivers_answer(prior_run, "hardware_leap", None)
    assert set(found.rows["scenario"]) == {"baseline"}


def test_figures_ask_the_network_for_nothing_and_have_words_for_who_cannot_see(found: Answers) -> None:
    for figure in (figure for section in found.sections for figure in section.figures):
        assert not re.search(r"(?:href|src)=\"(?!#)", figure.svg)
        assert escape(figure.alt) in figure.svg


def test_every_figure_has_its_numbers_in_full(found: Answers) -> None:
    for figure in (figure for section in found.sections for figure in section.figures):
        frame = pd.read_csv(io.StringIO(figure.csv))
        assert len(frame) > 0, figure.name
        assert frame.select_dtypes("number").notna().any().any(), figure.name


def test_the_numbers_of_a_figure_are_those_of_its_table(found: Answers) -> None:
    """What the forms' CSV says of 12 months is what the rows of summary.csv say."""
    (figure,) = next(section.figures for section in found.sections if section.name == "forms")
    frame = pd.read_csv(io.StringIO(figure.csv)).set_index("form")
    rows = found.rows[found.rows["variable"] == "forms: best_year_gain"].set_index("form")
    np.testing.assert_allclose(frame.loc[rows.index, "best_year_gain_q50"], rows["q50"].astype(float), rtol=1e-9)


def test_running_text_has_no_names_of_code(found: Answers) -> None:
    for section in found.sections:
        for sentence in section.sentences:
            assert not NAME.findall(sentence), sentence


def test_ids_of_all_figures_differ(found: Answers) -> None:
    ids = [i for section in found.sections for f in section.figures for i in re.findall(r'\bid="([^"]+)"', f.svg)]
    assert len(ids) == len(set(ids))


def test_rows_are_those_of_a_summary(found: Answers) -> None:
    assert list(found.rows.columns) == list(COLUMNS)
    keys = found.rows[["scenario", "form", "variable"]].astype(str).agg("|".join, axis=1)
    assert keys.is_unique
    assert found.rows["units"].notna().all()


def test_answers_survive_the_run_file(found: Answers) -> None:
    again = restored(stored(found, "key"), "key")
    assert again is not None
    assert again.sections[0].figures == found.sections[0].figures
    for one, other in zip(found.sections, again.sections, strict=True):
        assert one.sentences == other.sentences
        for table, copy in zip(one.tables, other.tables, strict=True):
            pd.testing.assert_frame_equal(table.frame.astype(str), copy.frame.astype(str), check_dtype=False)
    numbers = ["q05", "q50", "q95", "probability"]
    np.testing.assert_allclose(
        found.rows[numbers].astype(float), again.rows[numbers].astype(float), rtol=1e-15, equal_nan=True
    )


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"key": "key"}', '{"key": "key", "sections": 3, "rows": []}'])
def test_a_damaged_answer_is_computed_anew(text: str | None) -> None:
    assert restored(text, "key") is None


def test_answers_to_another_question_are_not_taken(found: Answers, prior_run: xr.DataTree) -> None:
    assert restored(stored(found, "key"), "another") is None
    keys = {
        answers_key(prior_run, scenarios, years)
        for scenarios, years in ((["baseline"], [2027]), (["baseline"], [2028]), (["hardware_leap"], [2027]))
    }
    assert len(keys) == 3


def test_stored_answers_are_data(found: Answers) -> None:
    assert set(json.loads(stored(found, "key"))) == {"key", "sections", "rows"}


def test_the_curve_falls_and_starts_at_what_the_draws_say(prior_run: xr.DataTree) -> None:
    pace = speedup(prior_run)
    rows = curve_rows(speedup_curve(pace, (1.0, 30.0, 300.0)))
    people = rows["probability"].tolist()[:3]
    assert people == sorted(people, reverse=True)
    assert people[1] == pytest.approx(float(pace.at_least_30.mean()))
