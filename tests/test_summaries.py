"""What the tables say, held against counting, NumPy and normal tables."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from synthetic import YEARS

from forecast import schema
from forecast.errors import ForecastError, InputError
from forecast.summaries import (
    COLUMNS,
    exceedance,
    exceedance_table,
    headline,
    length_shares,
    number,
    odds,
    percent,
    probability_rows,
    quantile,
    summary,
    write_summary,
)


def draws(values: object, **attrs: str) -> xr.DataArray:
    return xr.DataArray(np.asarray(values, dtype=float), dims="draw", attrs={"units": "yr", "definition": "x"} | attrs)


def test_the_columns_are_those_of_the_contract(yearly: xr.Dataset, readouts: xr.Dataset) -> None:
    frame = summary(yearly, readouts)
    assert ",".join(frame) == "scenario,form,variable,year,units,q05,q25,q50,q75,q95,probability,definition"
    assert tuple(frame) == COLUMNS
    assert len(frame) == 2 * (len(schema.YEARLY) * YEARS.size + len(schema.READOUTS) + len(schema.EVENTS))
    assert not frame.duplicated(["scenario", "form", "variable", "year"]).any()


def test_quantiles_are_numpys_on_plain_numbers(yearly: xr.Dataset) -> None:
    name = "log10_parallel_streams"
    rows = summary(yearly[[name]])
    one = rows[(rows.scenario == "software_only") & (rows.year == 2031)]
    values = yearly[name].sel(scenario="software_only", year=2031).values
    expected = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
    assert one[["q05", "q25", "q50", "q75", "q95"]].to_numpy()[0] == pytest.approx(expected, abs=1e-12)


def test_a_normal_sample_gives_the_normal_quantiles() -> None:
    values = draws(np.random.default_rng(5).normal(2.0, 3.0, 200_000))
    assert quantile(values, [0.05, 0.5, 0.95]).values == pytest.approx([2 - 3 * 1.6449, 2.0, 2 + 3 * 1.6449], abs=0.05)


def test_events_have_no_year_and_no_quantiles(yearly: xr.Dataset, readouts: xr.Dataset) -> None:
    frame = summary(yearly, readouts)
    events = frame[frame.variable.isin(list(schema.EVENTS))]
    assert events.year.isna().all()
    assert events[["q05", "q50", "q95"]].isna().all(axis=None)
    assert frame[~frame.variable.isin(list(schema.EVENTS))].probability.isna().all()
    counted = float(np.count_nonzero(readouts.already_20.sel(scenario="baseline"))) / 800
    assert events[(events.variable == "already_20") & (events.scenario == "baseline")].probability.item() == counted


def test_a_quantile_in_the_censored_mass_is_never() -> None:
    row = summary(xr.Dataset({"takeoff_years": draws([1, 2, 3, 4, 5, 6, 7, np.inf, np.inf, np.inf, np.inf])}))
    assert row[["q05", "q25", "q50", "q75", "q95"]].to_numpy().tolist() == [[1.5, 3.5, 6.0, np.inf, np.inf]]


def test_first_year_gains_are_over_the_draws_that_reach_automation() -> None:
    data = xr.Dataset(
        {
            "first_year_gain": draws([np.nan, 1.0, 2.0, 3.0, np.nan]),
            "year_100": draws([np.inf, 2030, 2031, 2032, np.inf]),
        }
    )
    row = summary(data).set_index("variable").loc["first_year_gain"]
    assert row.q50 == 2.0
    assert row.definition.endswith("over the draws that reach full automation")


def test_nobody_reaching_automation_leaves_gains_empty() -> None:
    data = xr.Dataset({"first_year_gain": draws([np.nan, np.nan]), "year_100": draws([np.inf, np.inf])})
    frame = summary(data).set_index("variable")
    assert np.isnan(frame.q50["first_year_gain"])
    assert frame.q50["year_100"] == np.inf


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("takeoff_years", [1.0, np.nan]),
        ("largest_speedup", [1.0, np.inf]),
        ("year_20", [-np.inf, 1.0]),
        ("log10_streams_at_automation", [np.inf, 1.0]),
    ],
)
def test_a_number_that_went_wrong_is_never_summarised(name: str, values: list[float]) -> None:
    with pytest.raises(ForecastError, match=f"{name}: 1 of 2 values are not finite"):
        summary(xr.Dataset({name: draws(values), "year_100": draws([2030.0, 2030.0])}))


def test_a_gain_missing_from_a_draw_that_reaches_automation_is_an_error() -> None:
    data = xr.Dataset({"first_year_gain": draws([np.nan, 1.0]), "year_100": draws([2030.0, 2031.0])})
    with pytest.raises(ForecastError, match="first_year_gain: 1 of 2"):
        summary(data)


def test_other_intervals_name_their_columns() -> None:
    frame = summary(xr.Dataset({"takeoff_years": draws(np.arange(101.0))}), prob=0.8)
    assert [name for name in frame if name.startswith("q")] == ["q10", "q25", "q50", "q75", "q90"]
    assert frame[["q10", "q90"]].to_numpy().tolist() == [[10.0, 90.0]]
    with pytest.raises(InputError, match=r"prob = 90 is not between 0.5 and 1"):
        summary(xr.Dataset({"takeoff_years": draws([1.0])}), prob=90)


def test_arrays_without_draws_or_units_are_refused() -> None:
    with pytest.raises(InputError, match="hold no draws"):
        quantile(xr.DataArray([1.0], dims="year"), [0.5])
    with pytest.raises(InputError, match="my_own: has no units and definition"):
        summary(xr.Dataset({"my_own": xr.DataArray([1.0], dims="draw")}))


@given(
    finite=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30),
    censored=st.integers(0, 10),
    level=st.floats(0.0, 1.0),
)
def test_censoring_a_draw_never_lowers_a_quantile(finite: list[float], censored: int, level: float) -> None:
    fewer = quantile(draws([*finite, *[np.inf] * censored]), [level]).item()
    more = quantile(draws([*finite, *[np.inf] * (censored + 1)]), [level]).item()
    assert not np.isnan(more)
    assert more >= fewer or more == pytest.approx(fewer, rel=1e-9, abs=1e-9)


def test_exceedance_counts_draws(yearly: xr.Dataset) -> None:
    data = yearly.log10_parallel_streams
    share = exceedance(data, 7.0)
    values = data.sel(scenario="baseline", year=2030).values
    assert share.dims == ("scenario", "year")
    assert float(share.sel(scenario="baseline", year=2030)) == sum(float(v) > 7.0 for v in values.ravel()) / values.size
    assert share.attrs["units"] == "1"


def test_a_draw_that_never_gets_there_does_not_exceed() -> None:
    assert float(exceedance(draws([np.nan, 9.0, 7.0, 8.0]), 8.0)) == 0.25
    assert float(exceedance(draws([np.inf, 1.0]), 1e300)) == 0.5


def test_the_exceedance_table_has_a_column_per_threshold(yearly: xr.Dataset) -> None:
    table = exceedance_table(yearly.log10_parallel_streams, [6, 7, 8])
    assert table.columns.tolist() == [6.0, 7.0, 8.0]
    assert table.index.names == ["scenario", "year"]
    assert table.loc[("baseline", 2030), 7.0] == float(
        exceedance(yearly.log10_parallel_streams, 7.0).sel(scenario="baseline", year=2030)
    )
    assert (table.diff(axis=1).iloc[:, 1:] <= 0).all(axis=None)
    assert exceedance_table(draws([1.0, 3.0]), [2.0]).to_numpy().tolist() == [[0.5]]


def test_probability_rows_name_their_statement(yearly: xr.Dataset, readouts: xr.Dataset) -> None:
    rows = probability_rows(yearly, readouts).set_index(["scenario", "variable", "year"]).sort_index()
    counted = float((yearly.log10_parallel_streams.sel(scenario="baseline", year=2035) > 8).mean())
    assert rows.probability[("baseline", "log10_parallel_streams > 8", 2035)] == counted
    reached = rows.loc[("baseline", "year_100 reached")].probability.item()
    assert reached == pytest.approx(1.0 - float(readouts.not_automated.sel(scenario="baseline").mean()))
    both = pd.concat([summary(yearly, readouts), probability_rows(yearly, readouts)])
    assert not both.duplicated(["scenario", "form", "variable", "year"]).any()


def test_shares_of_lengths_are_counts_and_add_up() -> None:
    labels, shares = length_shares(draws([0.3, 0.5, 0.7, 4.0, 12.0, np.inf, np.inf, np.inf]), 2045)
    expected = {"up to 0.5": 2, "0.5 to 1": 1, "3 to 5": 1, "more than 10": 1, "not by 2045": 3}
    assert {label: share * 8 for label, share in zip(labels, shares, strict=True) if share} == expected
    assert sum(shares) == pytest.approx(1.0)


def test_the_file_is_the_same_bytes_and_reads_back(tmp_path: Path, yearly: xr.Dataset, readouts: xr.Dataset) -> None:
    frame = summary(yearly[["log10_software"]], readouts)
    first, second = (write_summary(frame, tmp_path / name / "summary.csv") for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    assert b"\r" not in first.read_bytes()
    back = pd.read_csv(first)
    assert back.q50.to_numpy() == pytest.approx(frame.q50.to_numpy(), rel=1e-9, nan_ok=True)
    assert back.year.dropna().tolist() == frame.year.dropna().tolist()


def test_censored_empty_and_long_numbers_are_written_plainly(tmp_path: Path) -> None:
    frame = summary(xr.Dataset({"year_100": draws([2030.0 + 1 / 3, np.inf, np.inf])}))
    with write_summary(frame, tmp_path / "s.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    assert (row["q50"], row["q95"], row["year"], row["probability"]) == ("inf", "inf", "", "")
    one = summary(xr.Dataset({"year_100": draws([2030.0 + 1 / 3])}))
    assert ",2030.333333," in write_summary(one, tmp_path / "s.csv").read_text()


def test_text_is_never_a_formula(tmp_path: Path) -> None:
    frame = summary(xr.Dataset({"takeoff_years": draws([1.0], definition="=HYPERLINK(1)", units="@x")}))
    with write_summary(frame, tmp_path / "s.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    assert (row["definition"], row["units"]) == ("'=HYPERLINK(1)", "'@x")


def test_an_interrupt_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "summary.csv"
    path.write_text("old")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_summary(summary(xr.Dataset({"takeoff_years": draws([1.0])})), path)
    assert [p.name for p in tmp_path.iterdir()] == ["summary.csv"]
    assert path.read_text() == "old"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"summary\.csv: cannot be written .* choose another folder"):
        write_summary(summary(xr.Dataset({"takeoff_years": draws([1.0])})), tmp_path / "file" / "summary.csv")


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (0.0, "less than 1 in 100"),
        (0.0099, "less than 1 in 100"),
        (0.01, "about 1 in 100"),
        (0.02, "about 1 in 50"),
        (0.05, "about 1 in 20"),
        (0.38, "about 4 in 10"),
        (0.5, "about 5 in 10"),
        (0.95, "about 19 in 20"),
        (0.99, "about 99 in 100"),
        (1.0, "more than 99 in 100"),
    ],
)
def test_odds_are_said_as_cases(probability: float, said: str) -> None:
    assert odds(probability) == said


@given(st.floats(0.01, 0.99))
def test_the_words_are_close_to_the_number(probability: float) -> None:
    count, _, of = odds(probability).removeprefix("about ").split()
    assert int(count) / int(of) == pytest.approx(probability, abs=0.058)  # 0.143 lies between 1 and 2 in 10
    assert int(count) / int(of) == pytest.approx(probability, rel=0.5)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(wrong: float) -> None:
    with pytest.raises(InputError, match="is not between 0 and 1"):
        odds(wrong)
    with pytest.raises(InputError, match="is not between 0 and 1"):
        percent(wrong)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1.2e6, "1.2 million"),
        (3.4e12, "3.4 trillion"),
        (450_000.0, "450,000"),
        (999_600.0, "1 million"),
        (5.04e15, "5 quadrillion"),
        (2e18, "2e18"),
        (0.84, "0.84"),
        (4e-7, "4e-7"),
        (0.0, "0"),
        (-1500.0, "-1,500"),
        (float("inf"), "never"),
        (float("nan"), "unknown"),
    ],
)
def test_numbers_are_said_in_words(value: float, said: str) -> None:
    assert number(value) == said


def test_the_headline_says_what_was_counted(yearly: xr.Dataset, readouts: xr.Dataset) -> None:
    said = headline(yearly, readouts)
    one = readouts.sel(scenario="baseline")
    streams = one.log10_streams_at_automation.values.ravel()
    expected = 10.0 ** np.quantile(streams[~np.isnan(streams)], [0.05, 0.5, 0.95])
    assert (said.streams.low, said.streams.median, said.streams.high) == pytest.approx(tuple(expected))
    assert said.not_automated == float(np.isinf(one.year_100).mean())
    assert said.takeoff_years.median == pytest.approx(float(np.median(one.takeoff_years)))
    many, fast, when = said.sentences
    assert f"{number(expected[1])} (90% interval {number(expected[0])} to {number(expected[2])}) parallel" in many
    assert f"P(not by 2045) = {percent(said.not_automated)} ({odds(said.not_automated)})" in many
    assert f"P(1 year or less) = {percent(said.within_1_year)} ({odds(said.within_1_year)})" in fast
    assert f"In {percent(said.already_20)} of draws" in fast
    assert f"in {int(np.median(one.year_100))} (90% interval" in when


def test_an_upper_end_that_is_never_reached_is_said_so(yearly: xr.Dataset, readouts: xr.Dataset) -> None:
    late = readouts.assign(takeoff_years=readouts.takeoff_years.where(readouts.takeoff_years < 4, np.inf))
    assert headline(yearly, late).length.endswith(" years to not by 2045)")


def test_a_headline_without_any_automation_still_speaks(yearly: xr.Dataset, readouts: xr.Dataset) -> None:
    never = readouts.copy()
    for name in ("log10_streams_at_automation", "log10_human_equivalents_at_automation"):
        never[name] = never[name] * np.nan
    for name in ("year_100", "takeoff_years"):
        never[name] = xr.full_like(never[name], np.inf)
    never["not_automated"] = xr.full_like(never["not_automated"], True)
    many, fast, when = headline(yearly, never).sentences
    assert many.startswith("No draw reaches full automation of AI R&D by 2045: P(not by 2045) = >99.9%")
    assert "the take-off does not end by 2045 (90% interval" in fast
    assert when.startswith("Full automation of AI R&D does not arrive by 2045 in half of the draws or more (90%")
