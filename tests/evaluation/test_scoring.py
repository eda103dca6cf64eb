"""Scores of newer figures against closed forms, brute force, and figures drawn from the forecast itself."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import optimize, stats

from forecast.errors import DataMissingError, InputError
from forecast.evaluation import calibration_curve as curve
from forecast.evaluation.new_figures import Known, mixture_quantiles, predicted_all, scored_figures, table_part
from forecast.evaluation.predictive import Predictions
from forecast.evaluation.scored_rows import BEFORE, CENSORED
from forecast.evaluation.scores_words import (
    blocks_words,
    calibration_words,
    events_words,
    figures_words,
    score_sentences,
    unscored_lines,
)
from forecast.evaluation.scoring import Scores, score
from forecast.observations import SHIPPED, Observations, load_observations
from forecast.runs import read_provenance, with_provenance
from forecast.score_plots import plot_calibration, plot_pit
from forecast.side_draws import recorded_tables

CITED = ("invented", "CC-BY-4.0", "read")
RUNS = ("model", "organisation", "date", "training_flop", "rank", "confidence", "source", "licence", "provenance")
HORIZONS = ("model", "date", "horizon_minutes", "censored", "source", "licence", "provenance")
DURATIONS = ("model", "date", "training_days", "training_flop", "source", "licence", "provenance")
STAFF = ("lab", "date", "staff", "source", "licence", "provenance")


def folder_with(folder: Path, table: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    folder.mkdir(exist_ok=True)
    with (folder / f"{table}.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    return folder


def a_run(name: str, date: str, flop: float, rank: int = 1) -> tuple[object, ...]:
    return (name, "Lab", date, f"{flop!r}", rank, "Likely", *CITED)


def normal_predictions(observed: Sequence[float], mean: float = 0.0, sd: float = 1.0, draws: int = 4000) -> Predictions:
    """The same normal distribution under every draw."""
    shape = (draws, len(observed))
    rows = np.arange(len(observed))
    return Predictions("run_durations", rows, np.full(shape, mean), np.full(shape, sd), np.array(observed), None)


def place_of(found: Predictions) -> pd.DataFrame:
    size = found.observed.size
    names = {"row": [f"r{i}" for i in range(size)], "date": ["2027-01-01"] * size, "note": [""] * size}
    return pd.DataFrame({"table": found.table, "year": 2027.0, "horizon": 0.2} | names)


@pytest.fixture(scope="module")
def blind(prior_run: xr.DataTree) -> xr.DataTree:
    return prior_run


@pytest.fixture(scope="module")
def informed(prior_run: xr.DataTree) -> xr.DataTree:
    """The same draws, in a run that says it has seen the shipped tables."""
    return with_provenance(prior_run.copy(), read_provenance(prior_run) | {"kind": "posterior"})


# Closed forms


def test_scores_of_a_normal_forecast_are_the_closed_forms() -> None:
    observed = np.array([-1.7, 0.0, 0.4, 2.5])
    mean, sd = 0.3, 1.4
    found = normal_predictions(observed, mean, sd)
    rows, _ = scored_figures(found, place_of(found), np.arange(4), random_seed=1)
    z = (observed - mean) / sd
    crps = sd * (z * (2.0 * stats.norm.cdf(z) - 1.0) + 2.0 * stats.norm.pdf(z) - 1.0 / np.sqrt(np.pi))
    np.testing.assert_allclose(rows["pit"], stats.norm.cdf(z), atol=1e-12)
    np.testing.assert_allclose(rows["log_score"], stats.norm.logpdf(observed, mean, sd), atol=1e-12)
    np.testing.assert_allclose(rows["crps"], crps, atol=0.05)
    np.testing.assert_allclose(rows["scale_q95"], mean + 1.6448536 * sd, atol=1e-5)
    np.testing.assert_allclose(rows["q95"], np.exp(mean + 1.6448536 * sd), rtol=1e-5)
    assert rows["inside_50"].tolist() == [False, True, True, False]
    assert rows["inside_90"].tolist() == [True, True, True, True]


@pytest.mark.parametrize("nu", [None, 4.0, 5.0])
def test_quantiles_of_a_mixture_are_the_roots_of_its_distribution_function(nu: float | None) -> None:
    rng = np.random.default_rng(3)
    mean = np.where(rng.random((60, 1)) < 0.3, -4.0, 5.0) + rng.normal(0.0, 0.3, (60, 2))
    spread = rng.uniform(0.05, 2.0, (60, 2))
    found = Predictions("x", np.arange(2), mean, spread, np.zeros(2), nu)
    shape = stats.norm if nu is None else stats.t(nu)
    levels = (0.05, 0.25, 0.31, 0.95)
    got = mixture_quantiles(found, levels)
    for i, level in enumerate(levels):
        for row in range(2):

            def miss(x: float, level: float = level, row: int = row) -> float:
                return float(shape.cdf((x - mean[:, row]) / spread[:, row]).mean()) - level

            root = optimize.brentq(miss, -60.0, 60.0, xtol=1e-13)
            assert abs(miss(got[i, row])) < 1e-6
            assert got[i, row] == pytest.approx(root, abs=1e-2)


@pytest.mark.parametrize(("count", "of"), [(0, 5), (3, 7), (9, 10), (10, 10), (1, 1)])
def test_the_exact_interval_is_the_one_of_the_binomial_test(count: int, of: int) -> None:
    expected = stats.binomtest(count, of).proportion_ci(0.9, "exact")
    assert curve.proportion_interval(count, of) == pytest.approx((expected.low, expected.high))


def test_the_brier_score_by_hand() -> None:
    found = curve.brier_summary(np.array([0.8, 0.6, 0.1]), np.array([1.0, 0.0, 0.0]))
    assert found["brier"] == pytest.approx((0.04 + 0.36 + 0.01) / 3.0)
    assert found["brier_base_rate"] == pytest.approx((4.0 / 9.0 + 1.0 / 9.0 + 1.0 / 9.0) / 3.0)
    assert found["skill"] == pytest.approx(1.0 - (0.41 / 3.0) / (2.0 / 9.0))
    assert np.isnan(curve.brier_summary(np.array([0.8]), np.array([1.0]))["skill"])


def test_reliability_counts_every_question_once() -> None:
    said = np.array([0.0, 0.19, 0.2, 0.5, 0.99, 1.0])
    happened = np.array([0.0, 1.0, 0.0, 1.0, 1.0, 1.0])
    found = curve.reliability(said, happened)
    assert found["n"].tolist() == [2, 1, 1, 2]
    assert found["share"].tolist() == [0.5, 0.0, 1.0, 1.0]
    assert found["low"].tolist() == pytest.approx([0.0, 0.2, 0.4, 0.8])


def test_the_calibration_curve_counts_by_hand() -> None:
    pit = np.array([0.5, 0.3, 0.8, 0.97])  # central masses from which they are inside: 0, 0.4, 0.6, 0.94
    found = curve.calibration_curve(pit, np.tile(pit, (5, 1)))
    assert found["inside"].tolist() == [1, 1, 1, 2, 2, 3, 3, 3, 3]
    assert found["expected_low"].tolist() == found["share"].tolist()
    bins = curve.pit_bins(pit, np.tile(pit, (5, 1)))
    assert bins["count"].tolist() == [0, 0, 0, 1, 0, 1, 0, 0, 1, 1]
    assert bins["expected_high"].tolist() == bins["count"].tolist()


# What a right forecast looks like


def test_figures_drawn_from_the_forecast_have_uniform_pits(blind: xr.DataTree, tmp_path: Path) -> None:
    """A run's length has no covariates: one row says how every row is distributed under each draw."""
    one = folder_with(tmp_path / "one", "run_durations", DURATIONS, [("m", "2027-01-01", 60, 1e25, *CITED)])
    found = predicted_all(blind, only(one, "run_durations"))["run_durations"]
    rng = np.random.default_rng(6)
    draw = rng.integers(0, found.mean.shape[0], 400)
    days = np.exp(found.mean[draw, 0] + found.spread[draw, 0] * rng.standard_t(5.0, 400))
    rows = [(f"m{i}", "2027-01-01", repr(float(d)), 1e25, *CITED) for i, d in enumerate(days)]
    scored = score(blind, folder_with(tmp_path / "many", "run_durations", DURATIONS, rows))
    assert stats.kstest(scored.rows["pit"], "uniform").pvalue > 0.02
    whole = scored.overall.iloc[0]
    assert whole["coverage_50"] == pytest.approx(0.5, abs=3.0 * np.sqrt(0.25 / 400))
    assert whole["coverage_90"] == pytest.approx(0.9, abs=3.0 * np.sqrt(0.09 / 400))
    assert abs(whole["bias"]) < 3.0 / np.sqrt(12.0 * 400)


def test_the_expected_range_knows_that_figures_share_their_draw_and_the_exact_interval_does_not() -> None:
    rng = np.random.default_rng(2)
    samples = rng.normal(size=(2000, 1)) + 0.5 * rng.normal(size=(2000, 12))  # a common level and little scatter
    ranks = curve.ranks_within(samples)
    low, high = curve.expected_range(curve.is_inside(ranks, 0.5).mean(axis=1))
    truths = rng.normal(size=(2000, 1)) + 0.5 * rng.normal(size=(2000, 12))
    counts = curve.is_inside(stats.norm.cdf(truths / np.sqrt(1.25)), 0.5).sum(axis=1)
    held = np.mean((counts / 12 >= low - 1e-9) & (counts / 12 <= high + 1e-9))
    exact = np.array([curve.proportion_interval(k, 12) for k in range(13)])
    covered = np.mean((exact[counts, 0] <= 0.5) & (exact[counts, 1] >= 0.5))
    assert held > 0.87
    assert covered < 0.75


def test_a_figure_at_the_predictive_median_has_pit_one_half(blind: xr.DataTree, tmp_path: Path) -> None:
    rows = [a_run("A", "2027-06-30", 1e27), a_run("B", "2027-06-30", 1e27, 3)]
    first = score(blind, folder_with(tmp_path / "a", "training_runs", RUNS, rows))
    middle = first.rows["q50"].tolist()
    rows = [a_run("A", "2027-06-30", middle[0]), a_run("B", "2027-06-30", middle[1], 3)]
    again = score(blind, folder_with(tmp_path / "b", "training_runs", RUNS, rows))
    np.testing.assert_allclose(again.rows["pit"], 0.5, atol=1e-6)
    assert middle[0] > middle[1]  # the record lies above the other large runs
    np.testing.assert_allclose(again.rows["scale_q50"], np.log10(middle))
    np.testing.assert_allclose(again.rows["scale_observed"], np.log10(again.rows["observed"]))
    assert again.rows["units"].tolist() == ["FLOP", "FLOP"]


# Which rows


def only(folder: Path, table: str) -> Observations:
    """The folder's rows of one table, no rows of the others."""
    found = load_observations(folder, as_of="2100-12-31")
    empty = {name: one.isel(row=slice(0, 0)) for name, one in found.tables.items()}
    kept = empty | {name: found.tables[name] for name in (table, "conditions")}
    return Observations(found.as_of, kept, found.digests, found.origin, found.uncut)


def test_only_the_folders_own_rows_that_the_run_has_not_seen_are_scored(informed: xr.DataTree, tmp_path: Path) -> None:
    with (SHIPPED / "training_runs.csv").open(newline="", encoding="utf-8") as file:
        *_, before, last = csv.DictReader(file)
    old = [tuple(row[column] for column in RUNS) for row in (before, last | {"training_flop": "9e30"})]
    new = [a_run("New", "2027-02-01", 4e27), a_run("Unknown then", "2025-01-15", 3e25, 2)]
    found = score(informed, folder_with(tmp_path, "training_runs", RUNS, [*old, *new]))
    assert found.rows["row"].tolist() == ["New", "Unknown then"]
    assert found.rows["note"].tolist() == ["", BEFORE]
    assert (found.rows["horizon"] > 0.0).tolist() == [True, False]
    counts = found.counts.iloc[0]
    assert [counts[name] for name in ("given", "seen", "revised", "scored")] == [4, 2, 1, 2]
    said = " ".join(score_sentences(found))
    assert "2 rows (training_runs 2, 1 of them with another figure then)" in said
    assert "1 of them before the run's day" in said


def test_a_run_that_has_seen_everything_says_that_nothing_is_scored(informed: xr.DataTree) -> None:
    found = score(informed, SHIPPED)
    assert found.rows.empty and found.events.empty and found.blocks.empty and found.calibration.empty
    assert found.counts["seen"].sum() == found.counts["given"].sum()
    assert score_sentences(found)[0].startswith("Nothing here is scored")
    with pytest.raises(InputError, match="no figure was scored"):
        plot_calibration(found)


def test_draws_of_the_prior_have_seen_no_row(blind: xr.DataTree) -> None:
    found = score(blind, SHIPPED)
    counts = found.counts.set_index("table")
    assert counts["seen"].sum() == 0
    assert (counts.drop(index=["research_staff", "conditions"]).eval("given == scored + events + unscored")).all()
    shrinking = set(found.unscored["table"])  # a world that shrinks, in some draws of the prior, adds no compute
    assert shrinking <= {"world_compute"}
    assert set(found.blocks["table"]) == set(counts.index) - {"conditions"} - shrinking
    assert np.isfinite(found.rows[["pit", "crps", "log_score"]].to_numpy(dtype=float)).all()
    whole = found.overall.iloc[0]
    assert whole["coverage_90_expected_low"] <= whole["coverage_90_expected_high"] <= 1.0


def test_tables_written_into_the_run_file_are_the_ones_that_count(informed: xr.DataTree, tmp_path: Path) -> None:
    record = read_provenance(informed)
    known = load_observations(as_of=record["as_of"])
    tables: dict[str, Any] = {}
    for name in known.tables:
        frame = known.to_frame(name).iloc[:-1] if name == "training_runs" else known.to_frame(name)
        blank = frame.astype(object).where(frame.notna(), None)
        tables[name] = {"columns": list(frame), "rows": blank.to_numpy().tolist()}
    run = with_provenance(informed.copy(), json.loads(json.dumps(record | {"observations": tables})))
    assert (
        recorded_tables(read_provenance(run))["training_runs"].sizes["row"] == len(known.to_frame("training_runs")) - 1
    )
    text = (SHIPPED / "training_runs.csv").read_text(encoding="utf-8")
    (tmp_path / "training_runs.csv").write_text(text, encoding="utf-8")
    assert score(run, tmp_path).rows["row"].tolist() == [known.to_frame("training_runs")["model"].iloc[-1]]


def test_a_run_that_cannot_say_what_it_has_seen_is_refused(informed: xr.DataTree, tmp_path: Path) -> None:
    record = read_provenance(informed)
    digests = record["digests"] | {"tables": dict.fromkeys(record["digests"]["tables"], "other")}
    lost = with_provenance(informed.copy(), record | {"digests": digests})
    folder = folder_with(tmp_path, "training_runs", RUNS, [a_run("A", "2027-01-01", 3e27)])
    with pytest.raises(InputError, match=r"nobody can tell.*forecast run"):
        score(lost, folder)


# Tables with habits of their own


def test_a_censored_horizon_is_an_event_with_its_probability(informed: xr.DataTree, tmp_path: Path) -> None:
    rows = [("m_a", "2027-01-15", 500, 0, *CITED), ("m_b", "2027-03-15", 960, 1, *CITED)]
    found = score(informed, folder_with(tmp_path, "time_horizons", HORIZONS, rows))
    assert found.rows["row"].tolist() == ["m_a"]
    event = found.events.iloc[0]
    assert (event["kind"], event["happened"], event["question"]) == (CENSORED, 1, "horizon >= 960 min")
    plain = [rows[0], ("m_b", "2027-03-15", 960, 0, *CITED)]
    direct = score(informed, folder_with(tmp_path / "plain", "time_horizons", HORIZONS, plain))
    assert event["probability"] == pytest.approx(1.0 - direct.rows["pit"].iloc[1])
    assert event["log_score"] == pytest.approx(np.log(event["probability"]))
    assert found.brier.empty and found.reliability.empty  # it is there only because it was long
    assert "at least so long" in " ".join(score_sentences(found))
    assert direct.rows[["q05", "pit"]].iloc[0].tolist() == pytest.approx(
        found.rows[["q05", "pit"]].iloc[0].tolist(), rel=1e-4
    )


def test_a_labs_growth_needs_three_new_figures(informed: xr.DataTree, tmp_path: Path) -> None:
    few = [("Few", "2026-01-01", 100, *CITED), ("Few", "2027-01-01", 200, *CITED)]
    many = [("Many", f"{year}-01-01", staff, *CITED) for year, staff in ((2025, 100), (2026, 250), (2027, 400))]
    found = score(informed, folder_with(tmp_path, "research_staff", STAFF, [*few, *many]))
    slope = np.polyfit([2025.0, 2026.0, 2027.0], np.log([100.0, 250.0, 400.0]), 1)[0]
    assert found.rows["row"].tolist() == ["Many"]
    assert found.rows["observed"].tolist() == pytest.approx([slope])
    assert found.rows["date"].tolist() == ["2027-01-01"]
    assert found.unscored[["row", "date"]].values.tolist() == [["Few", "2027-01-01"]]
    assert unscored_lines(found) == ["research_staff: Few, 2027-01-01: " + found.unscored["reason"].iloc[0]]


def test_a_row_without_a_forecast_in_some_draw_is_named(informed: xr.DataTree, tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "run_durations", DURATIONS, [(n, "2027-01-01", 50, 1e25, *CITED) for n in "ab"])
    new = only(folder, "run_durations")
    found = normal_predictions([4.0, 4.0], 4.0, 1.0, draws=10)
    found.mean[3, 1] = np.nan
    none = np.zeros(2, dtype=bool)
    part = table_part("run_durations", Known(none, none), new, found, 2026.8, 1)
    assert part.rows["row"].tolist() == ["a"]
    assert part.unscored[["row", "reason"]].values.tolist() == [["b", "it has no forecast in 1 of 10 draws"]]


def test_conditions_are_no_figures_to_score(informed: xr.DataTree, tmp_path: Path) -> None:
    (tmp_path / "conditions.csv").write_text((SHIPPED / "conditions.csv").read_text(encoding="utf-8"), encoding="utf-8")
    found = score(informed, tmp_path)
    assert found.rows.empty
    assert any("conditions hold the model" in note for note in found.notes)


# Promises


def test_the_same_seed_gives_the_same_numbers_whatever_else_is_scored(informed: xr.DataTree, tmp_path: Path) -> None:
    rows = [a_run("A", "2027-01-01", 3e27), a_run("B", "2027-05-01", 6e27)]
    alone = score(informed, folder_with(tmp_path / "a", "training_runs", RUNS, rows))
    folder_with(tmp_path / "b", "training_runs", RUNS, rows)
    days = [("m", "2027-01-01", 60, 1e25, *CITED)]
    beside = score(informed, folder_with(tmp_path / "b", "run_durations", DURATIONS, days))
    pd.testing.assert_frame_equal(alone.rows, beside.rows[beside.rows["table"] == "training_runs"])
    other = score(informed, tmp_path / "a", random_seed=2)
    assert (other.rows["crps"] != alone.rows["crps"]).all()
    np.testing.assert_array_equal(other.rows["pit"], alone.rows["pit"])


def test_faults_of_the_tables_are_all_named_with_their_line(informed: xr.DataTree, tmp_path: Path) -> None:
    bad = [a_run("A", "2027-13-01", 3e27), a_run("B", "2027-01-01", -1.0)]
    with pytest.raises(InputError) as caught:
        score(informed, folder_with(tmp_path, "training_runs", RUNS, bad))
    faults = str(caught.value).splitlines()
    assert [line.split(": ")[0] for line in faults] == [f"{tmp_path}/training_runs.csv:{line}" for line in (2, 3)]
    with pytest.raises(DataMissingError, match="forecast data template"):
        score(informed, tmp_path / "nowhere")


# Words and figures


@pytest.fixture(scope="module")
def scored(informed: xr.DataTree, tmp_path_factory: pytest.TempPathFactory) -> Scores:
    folder = tmp_path_factory.mktemp("new")
    folder_with(
        folder, "training_runs", RUNS, [a_run(f"R{i}", f"2027-0{i}-01", 10.0 ** (26.5 + 0.3 * i)) for i in range(1, 6)]
    )
    return score(informed, folder_with(folder, "time_horizons", HORIZONS, [("m_b", "2027-03-15", 960, 1, *CITED)]))


def test_tables_of_words_have_a_line_per_row(scored: Scores) -> None:
    assert figures_words(scored)["Figure"].tolist() == [f"training_runs: R{i}" for i in range(1, 6)]
    assert blocks_words(scored)["Figures"].tolist() == [5]
    assert events_words(scored)["Note"].tolist() == ["censored"]
    assert len(calibration_words(scored)) == len(curve.LEVELS)
    assert all("nan" not in text.lower() for text in score_sentences(scored))


def test_lines_hold_every_figure_and_every_question_once(scored: Scores) -> None:
    lines = scored.lines()
    assert lines["kind"].tolist() == ["figure"] * 5 + ["censored"]
    assert lines["row"].is_unique


def test_the_curve_is_drawn_as_counted_with_its_counts(scored: Scores) -> None:
    ax = plot_calibration(scored)
    line = next(one for one in ax.lines if one.get_marker() == "o")
    np.testing.assert_allclose(line.get_ydata(), scored.calibration["share"])
    assert [text.get_text() for text in ax.texts] == [str(count) for count in scored.calibration["inside"]]
    histogram = plot_pit(scored)
    bars = [bar.get_height() for container in histogram.containers for bar in container]
    assert sum(bars) == 5
    assert bars == scored.pit_bins["count"].tolist()
