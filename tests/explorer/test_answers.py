"""What the page says of a state: words, figures, files."""

from __future__ import annotations

import io
import json
import math

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from forecast.dynamics import takeoff_with_years
from forecast.dynamics.forms import MIXED, RIVALS
from forecast.explorer import Explorer, State, answer
from forecast.explorer.conditioned import numbers
from forecast.explorer.downloads import ORIGIN, numbers_csv, numbers_json
from forecast.explorer.spoken import card
from forecast.headlines import Estimate, headline
from forecast.runs import read_provenance
from forecast.summaries import COLUMNS
from forecast.words import number


def moved(page: Explorer, share: float = 0.2) -> State:
    """A state with the first slider near its lower end."""
    slider = page.sliders[0]
    return State(fixed=((slider.name, slider.values[int(share * len(slider.values))]),))


def test_with_nothing_fixed_the_headline_is_that_of_the_run(page: Explorer, prior_run: xr.DataTree) -> None:
    readouts, yearly = takeoff_with_years(prior_run, "baseline", page.years)
    found = answer(page, State())
    assert found["now"]["sentences"] == list(headline(yearly, readouts).sentences)
    assert found["now"] == found["reference"]
    assert found["query"] == f"run={page.digest}"


def test_what_is_beside_it_stays_the_run_as_it_is(page: Explorer) -> None:
    one = answer(page, moved(page))
    assert one["reference"] == answer(page, State())["now"]
    assert one["now"] != one["reference"]
    assert one["state"]["fixed"] == dict(moved(page).fixed)


@pytest.mark.parametrize("form", MIXED)
def test_an_answer_is_plain_json_of_finite_numbers(page: Explorer, form: str) -> None:
    found = answer(page, State(form=form, view="davidson2023"))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert all(card["title"] and card["big"] for card in found["now"]["cards"])
    assert found["now"]["fan"]["own"] == (form not in RIVALS) == (not found["now"]["fan"]["note"])


def test_the_fan_is_the_quantiles_of_the_draws(page: Explorer) -> None:
    fan = answer(page, moved(page))["now"]["fan"]
    draws = numbers(page, moved(page)).yearly["log10_human_equivalents"].values
    for name, level in (("q05", 0.05), ("q50", 0.5), ("q95", 0.95)):
        np.testing.assert_allclose(fan["series"]["log10_human_equivalents"][name], np.quantile(draws, level, axis=0))
    assert fan["words"]["log10_human_equivalents"][3][1] == number(10.0 ** np.median(draws[:, 3]))


def test_lengths_share_out_all_draws(page: Explorer) -> None:
    now = answer(page, State())["now"]
    never = float(np.isinf(numbers(page, State()).readouts["takeoff_years"]).mean())
    assert sum(now["lengths"]["shares"]) == pytest.approx(1.0)
    assert now["lengths"]["shares"][-1] == pytest.approx(never)
    assert now["lengths"]["labels"][-1] == f"not by {page.years[-1]}"


@pytest.mark.parametrize(
    ("form", "title", "has_length"),
    [
        ("davidson_houlden2025", "10 of its years within 12 months", False),
        ("ai2027", "From superhuman coder to superintelligence", False),
        ("kwa2026", "99% automation of AI R&D", True),
    ],
)
def test_a_rival_says_what_it_defines_and_what_not(page: Explorer, form: str, title: str, has_length: bool) -> None:
    now = answer(page, State(form=form))["now"]
    assert now["cards"][-1]["title"] == title
    assert (now["lengths"] is not None) == has_length
    assert "says nothing about the number of AIs" in now["fan"]["note"]
    assert now["note"] in now["sentences"][-1]


def test_a_fixed_parameter_lies_at_its_value_and_others_follow(page: Explorer) -> None:
    state = moved(page)
    name, value = state.fixed[0]
    lies = answer(page, state)["now"]["sliders"]
    place = round(page.sliders[0].place(value), 2)
    assert lies[name] == {"places": [place, place, place], "words": page.sliders[0].words(value)}


def test_a_card_says_what_is_missing() -> None:
    nothing = Estimate(math.nan, math.nan, math.nan, 0.9)
    assert card("AIs", nothing, number, "none") == {"title": "AIs", "big": "none", "unit": "", "range": "", "note": ""}
    late = Estimate(3.0, math.inf, math.inf, 0.9)
    assert card("Length", late, number, "not by 2045", "years")["big"] == "not by 2045"
    assert card("Length", late, number, "not by 2045", "years")["unit"] == ""


def test_the_file_has_every_number_and_where_it_is_from(page: Explorer, prior_run: xr.DataTree) -> None:
    state = State(scenario="software_only", fixed=moved(page).fixed)
    frame = pd.read_csv(io.StringIO(numbers_csv(page, state)))
    assert list(frame.columns) == [*COLUMNS, *ORIGIN]
    assert set(frame["run"]) == {read_provenance(prior_run)["digests"]["fit"]}
    assert set(frame["fixed"]) == {"{}={!r}".format(*state.fixed[0])}
    assert set(frame["scenario"]) == {"software_only"} and set(frame["form"]) == {"section5 (prior only)"}
    found = numbers(page, state)
    row = frame[(frame["variable"] == "log10_parallel_streams") & (frame["year"] == page.years[4])].iloc[0]
    assert row["q50"] == pytest.approx(np.median(found.yearly["log10_parallel_streams"].values[:, 4]))
    event = frame[frame["variable"] == "not_automated"].iloc[0]
    assert event["probability"] == pytest.approx(float(found.readouts["not_automated"].mean()))


@pytest.mark.parametrize("form", ["section5", "kwa2026"])
def test_the_same_as_json(page: Explorer, form: str) -> None:
    state = State(form=form, view="finnveden2023", fixed=moved(page).fixed)
    found = json.loads(numbers_json(page, state))
    assert found["state"] == {
        "scenario": "baseline",
        "form": form,
        "view": "finnveden2023",
        "fixed": dict(state.fixed),
    }
    assert found["marks"] == ["prior only"] and "numpy" in found["versions"] and len(found["headline"]) == 3
    assert len(found["rows"]) == len(pd.read_csv(io.StringIO(numbers_csv(page, state))))
    assert {"year_99"} <= {row["variable"] for row in found["rows"]} or form == "section5"
