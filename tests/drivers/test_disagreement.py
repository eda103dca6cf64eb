"""What would settle a disagreement: closed forms where the output is additive, and what holds between any two views."""

from __future__ import annotations

import csv
import io
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner, Result
from scipy.stats import norm

from forecast.cli import main
from forecast.drivers.disagreement import (
    POSTERIOR,
    anchored,
    disagreement,
)
from forecast.drivers.disagreement_words import disagreement_sentence, disagreement_words
from forecast.errors import InputError
from forecast.priors import read_overlay
from forecast.research.compare import compare, comparison_table
from forecast.runs import parameters_of, save_run
from forecast.side_draws import thinned
from forecast.views import apply_view, changer

UNITS = {
    "software_doubling_months": "months",
    "returns": "1",
    "compute_share": "1",
    "infinite_compute_multiple": "1",
    "leap_pool": "1",
    "log10_world_flop_per_second_2025": "log10 FLOP/s",
    "world_compute_growth": "OOM/yr",
    "required_horizon_minutes": "min",
}
SAME = 'distribution = "LogNormal"\ninterval = [0.8, 1.2]'
FAST, SLOW = ('distribution = "LogNormal"\ninterval = [{:g}, {:g}]'.format(*ends) for ends in ((2.0, 4.0), (8.0, 16.0)))
EASY, HARD = ('distribution = "LogNormal"\ninterval = [{:g}, {:g}]'.format(*ends) for ends in ((1e4, 1e5), (2e5, 2e6)))
WORLD = "log10_world_flop_per_second@2026"  # read at as_of, before any slowdown: W_2025 + growth (as_of - 2025)


def normal(mu: float, sigma: float) -> str:
    return f'distribution = "Normal"\nparams = {{ mu = {mu}, sigma = {sigma} }}'


def view(folder: Path, name: str, **statements: str) -> Path:
    """An overlay file with some priors."""
    entries = "".join(
        f'[priors.{parameter}]\n{said}\nunits = "{UNITS[parameter]}"\nsource = ["me"]\n\n'
        for parameter, said in statements.items()
    )
    text = '[overlay]\ndescription = "A test."\nreferences = ["me"]\n\n' + entries
    path = folder / f"{name}.toml"
    path.write_text(text + '[sources.me]\ncite = "A test"\nlocator = "here"\n', encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("views")


@pytest.fixture(scope="module")
def fast(folder: Path) -> Path:
    return view(folder, "fast", software_doubling_months=FAST, returns=SAME, required_horizon_minutes=EASY)


@pytest.fixture(scope="module")
def slow(folder: Path) -> Path:
    return view(folder, "slow", software_doubling_months=SLOW, returns=SAME, required_horizon_minutes=HARD)


@pytest.fixture(scope="module")
def small(prior_run: xr.DataTree) -> xr.DataTree:
    """A few draws, where only the shape of the answer counts."""
    return thinned(prior_run, 60)


@pytest.fixture(scope="module")
def table(prior_run: xr.DataTree, fast: Path, slow: Path) -> pd.DataFrame:
    return disagreement(prior_run, fast, slow, ["year_100", "year_100<2031", "log10_streams_at_automation"])


def rows(table: pd.DataFrame, output: str) -> pd.DataFrame:
    return table[table["output"] == output].set_index("parameter")


# Closed forms


@pytest.fixture(scope="module")
def additive(prior_run: xr.DataTree, folder: Path) -> pd.DataFrame:
    """Two who differ by 0.1 in the world's compute and by 0.04 a year in its growth, both with the same spread."""
    level, growth = "log10_world_flop_per_second_2025", "world_compute_growth"
    low = view(folder, "low", **{level: normal(21.0, 0.1), growth: normal(0.3, 0.02)}, returns=SAME)
    high = view(folder, "high", **{level: normal(21.1, 0.1), growth: normal(0.34, 0.02)}, returns=SAME)
    return rows(disagreement(prior_run, low, high, [WORLD]), WORLD)


def test_the_median_of_a_sum_moves_by_what_each_term_moves(additive: pd.DataFrame, prior_run: xr.DataTree) -> None:
    years = float(parameters_of(prior_run)["as_of_year"]) - 2025.0
    assert additive["shift"]["log10_world_flop_per_second_2025"] == pytest.approx(0.1, abs=1e-9)
    assert additive["shift"]["world_compute_growth"] == pytest.approx(0.04 * years, abs=1e-9)
    assert additive["shift"]["all"] == pytest.approx(0.1 + 0.04 * years, abs=1e-9)
    assert additive["first_median"]["all"] == pytest.approx(21.0 + 0.3 * years, abs=0.02)


def test_shares_by_rank_are_those_of_shifted_normals(additive: pd.DataFrame, prior_run: xr.DataTree) -> None:
    """For x ~ N(0, s), the pooled distribution is that of x and x + D: E F(x + t) = (Phi(t/(s 2^.5)) + Phi((t-D)/..))/2."""
    years = float(parameters_of(prior_run)["as_of_year"]) - 2025.0
    scale, a, b = np.sqrt(2.0) * np.hypot(0.1, 0.02 * years), 0.1, 0.04 * years

    def mean_rank(t: float) -> float:
        return float(0.5 * (norm.cdf(t / scale) + norm.cdf((t - a - b) / scale)))

    gap = mean_rank(a + b) - mean_rank(0.0)
    share = 0.5 * (mean_rank(a) - mean_rank(0.0) + mean_rank(a + b) - mean_rank(b)) / gap
    assert additive["rank_shift"]["all"] == pytest.approx(gap, abs=0.02)
    assert additive["share"]["log10_world_flop_per_second_2025"] == pytest.approx(share, abs=0.01)
    assert additive["share"]["world_compute_growth"] == pytest.approx(1.0 - share, abs=0.01)


def test_what_both_state_alike_closes_nothing(additive: pd.DataFrame) -> None:
    assert not additive.loc["returns", ["share", "share_error", "shift", "shift_error"]].any()
    assert additive["stated_by"]["returns"] == "both"


def test_one_parameter_alone_is_the_whole_disagreement(prior_run: xr.DataTree, folder: Path, fast: Path) -> None:
    other = view(folder, "other", software_doubling_months=SLOW, returns=SAME, required_horizon_minutes=EASY)
    for found in (rows(disagreement(prior_run, fast, other), name) for name in ("takeoff_years",)):
        assert found["share"]["software_doubling_months"] == pytest.approx(1.0, abs=1e-12)
        assert found["share_error"]["software_doubling_months"] == pytest.approx(0.0, abs=1e-9)
        assert found["shift"]["software_doubling_months"] == found["shift"]["all"] > 0.0


def test_shares_of_an_event_are_shares_of_its_probability(table: pd.DataFrame) -> None:
    found = rows(table, "year_100<2031")
    np.testing.assert_allclose(found["share"], found["shift"] / found["shift"]["all"], atol=1e-9)
    np.testing.assert_allclose(found["rank_shift"], 0.5 * found["shift"], atol=1e-9)


def test_parts_follow_ends_that_more_draws_put_elsewhere() -> None:
    """Parts that are 0.3 and 0.7 of the gap but for noise of their own stay so when the gap is known better."""
    generator = np.random.default_rng(0)
    ends = np.array([[1.0], [3.0]]) + generator.normal(size=(2, 4001)) * (np.arange(4001) > 0)
    own = 0.1 * generator.normal(size=4001) * (np.arange(4001) > 0)
    gap = ends[1] - ends[0]
    better = np.array([[1.2], [2.6]]) + 0.2 * generator.normal(size=(2, 4001)) * (np.arange(4001) > 0)
    found = anchored(np.stack([0.3 * gap + own, 0.7 * gap - own]), ends, better)
    np.testing.assert_allclose(found[:, 0], [0.3 * 1.4, 0.7 * 1.4], atol=0.01)
    np.testing.assert_allclose(found.sum(axis=0), better[1] - better[0], atol=1e-9)
    assert found[0, 1:].std() == pytest.approx(np.hypot(0.1, 0.3 * 0.2 * np.sqrt(2.0)), rel=0.05)


# What holds between any two views


def test_shares_and_shifts_add_up_to_the_gap(table: pd.DataFrame, additive: pd.DataFrame) -> None:
    for output in table["output"].unique():
        found = rows(table, output)
        for column in ("share", "shift", "rank_shift"):
            assert found[column].drop("all").sum(skipna=False) == pytest.approx(
                found[column]["all"], abs=1e-9, nan_ok=True
            )
    assert additive["share"].drop("all").sum() == pytest.approx(1.0, abs=1e-9)


def test_what_closes_most_stands_first_and_the_gap_last(table: pd.DataFrame) -> None:
    for output in ("year_100", "year_100<2031"):
        found = rows(table, output)
        assert found.index[-1] == "all" and found["share"]["all"] == 1.0
        assert all(a >= b for a, b in pairwise(found["share"].iloc[:-1]))


def test_the_other_way_round_shifts_change_their_sign_and_shares_stay(
    table: pd.DataFrame, prior_run: xr.DataTree, fast: Path, slow: Path
) -> None:
    back = disagreement(prior_run, slow, fast, ["year_100"])
    there, back = rows(table, "year_100"), rows(back, "year_100").loc[rows(table, "year_100").index]
    np.testing.assert_allclose(back["shift"], -there["shift"], atol=1e-9)
    np.testing.assert_allclose(back["rank_shift"], -there["rank_shift"], atol=1e-9)
    np.testing.assert_allclose(back["share"], there["share"], atol=1e-9)
    assert back["first_median"].tolist() == there["second_median"].tolist()


def test_the_ends_are_the_views_as_they_are_compared(
    table: pd.DataFrame, prior_run: xr.DataTree, fast: Path, slow: Path
) -> None:
    known = comparison_table(compare(prior_run, [fast, slow])).set_index("view")
    found = rows(table, "year_100").loc["all"]
    assert [found["first_median"], found["second_median"]] == known["year_100"].loc[["fast", "slow"]].tolist()


def test_a_swap_is_the_view_that_states_what_was_swapped(prior_run: xr.DataTree, slow: Path) -> None:
    only = parameters_of(apply_view(prior_run, slow, only=["returns"]))
    found = changer(prior_run)({"returns": read_overlay(slow).entries["returns"]})
    assert found.keys() == only.keys()
    for name, values in only.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


def test_a_view_against_the_run_itself_leaves_what_it_does_not_state_open(prior_run: xr.DataTree, fast: Path) -> None:
    found = rows(disagreement(prior_run, None, fast, ["year_100"]), "year_100")
    assert set(found["first"]) == {POSTERIOR}
    assert set(found["stated_by"].drop("all")) == {"fast"}
    prior = parameters_of(prior_run)["software_doubling_months"]
    assert found["first_median"]["software_doubling_months"] == pytest.approx(np.median(prior))
    assert found["second_median"]["software_doubling_months"] == pytest.approx(np.sqrt(8.0), rel=0.01)


def test_two_who_say_the_same_have_no_disagreement(prior_run: xr.DataTree, folder: Path, fast: Path) -> None:
    twin = view(folder, "twin", software_doubling_months=FAST, returns=SAME, required_horizon_minutes=EASY)
    for other in (twin, fast):
        found = disagreement(prior_run, fast, other)
        assert found["share"].isna().all()
        assert not found[["shift", "rank_shift"]].to_numpy().any()
        assert "hardly differ on years from 20% to 100%" in disagreement_sentence(found, "takeoff_years")
        assert "all" in disagreement_words(found, "takeoff_years")["Swapped"].tolist()


def test_a_median_beyond_the_window_is_no_number_but_its_draws_count(
    prior_run: xr.DataTree, fast: Path, slow: Path
) -> None:
    found = rows(disagreement(prior_run, fast, slow, ["year_100"], years=range(2026, 2034)), "year_100")
    assert found["second_median"]["all"] == np.inf and found["shift"].isna().all()
    assert found["share"].drop("all").sum() == pytest.approx(1.0)
    assert "against not in the window" in disagreement_sentence(found.reset_index(), "year_100")


def test_what_is_stated_instead_of_a_parameter_is_swapped_with_it(prior_run: xr.DataTree, folder: Path) -> None:
    share = view(folder, "share", compute_share="value = 0.3", leap_pool="value = 0.2")
    asymptote = view(folder, "asymptote", infinite_compute_multiple="value = 1000.0")
    found = rows(disagreement(prior_run, share, asymptote, ["year_100"]), "year_100")
    assert set(found.index) == {"compute_share", "leap_pool", "all"}
    assert found["stated_by"]["compute_share"] == "both"
    assert found["rank_shift"]["compute_share"] == pytest.approx(found["rank_shift"]["all"], abs=1e-12)
    assert found["rank_shift"]["all"] != 0.0
    assert found["rank_shift"]["leap_pool"] == 0.0  # it is no part of the trend's take-off


def test_of_many_parameters_orders_are_drawn_and_shares_still_add_up(small: xr.DataTree) -> None:
    """davidson2023 and software_explosion state 11 parameters between them that differ."""

    def found() -> pd.DataFrame:
        asked = ("davidson2023", "software_explosion", ["year_100"])
        return rows(disagreement(small, *asked, draws=16, permutations=4), "year_100")

    one = found()
    assert len(one) == 12 and one["share"].drop("all").sum() == pytest.approx(1.0, abs=1e-9)
    assert (one["share_error"].drop("all") > 0.0).any()
    pd.testing.assert_frame_equal(one, found())


def test_what_cannot_be_compared_is_refused(prior_run: xr.DataTree, tmp_path: Path, fast: Path) -> None:
    namesake = view(tmp_path, "fast", returns=SAME)
    for bad, said in (
        ((fast, namesake), "two views share a name"),
        ((fast, "software_only"), "that is a scenario, give it with --scenario"),
        ((fast, "nobody"), "no scenario or view named 'nobody'"),
        ((fast, None, ["year_10"]), "no output named 'year_10'"),
        ((fast, None, None, "hardware_leap"), "its side parameters are not analysed here"),
    ):
        with pytest.raises(InputError, match=said):
            disagreement(prior_run, *bad)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="draws = 3: give 16 or more"):
        disagreement(prior_run, fast, None, draws=3)


# In words


def made(share: list[float], rank: list[float], medians: tuple[float, float], output: str) -> pd.DataFrame:
    """A table of parameters a, b, c, ... with these shares."""
    gap = sum(rank)
    names = [*"abcdefghij"[: len(share)], "all"]
    return pd.DataFrame(
        {
            "output": output,
            "first": "Ann",
            "second": "Bob",
            "parameter": names,
            "share": [*share, sum(share)],
            "share_error": [*([0.02] * len(share)), 0.0],
            "shift": [*(2.0 * x for x in rank), 2.0 * gap],
            "shift_error": 0.0,
            "rank_shift": [*rank, gap],
            "rank_error": 0.001,
            "first_median": [*([1.5] * len(share)), medians[0]],
            "second_median": [*([2.5] * len(share)), medians[1]],
            "stated_by": [*(["Ann", "both"] * len(share))[: len(share)], "both"],
        }
    )


def test_the_sentence_names_what_closes_the_gap_and_what_widens_it() -> None:
    table = made([0.7, 0.5, 0.01, -0.21], [0.14, 0.1, 0.002, -0.042], (2028.9, 2033.2), "year_100")
    assert disagreement_sentence(table, "year_100") == (
        "Ann and Bob differ on when AIs can do 100% of AI R&D tasks (2028 against 2033). a closes 70% of the gap and "
        "b 50%; d (-21%) widens it. Measuring a first would settle most."
    )


def test_the_sentence_says_what_more_than_the_whole_means() -> None:
    table = made([4.0, -3.0], [0.4, -0.3], (3.0, 2.0), "takeoff_years")
    said = disagreement_sentence(table, "takeoff_years")
    assert "(3 against 2), where larger disagreements nearly cancel. a closes 400% of the gap; b (-300%) widens" in said
    assert "above 100% is more than the whole gap" in said


def test_many_small_shares_still_name_the_largest() -> None:
    said = disagreement_sentence(made([0.1] + [0.04] * 9, [0.05] * 10, (0.2, 0.8), "not_automated"), "not_automated")
    assert "(20% against 80%). a closes 10% of the gap. Measuring a first" in said
    all_small = made([0.049] + [0.04] * 9, [0.05] * 10, (0.2, 0.8), "not_automated")
    assert "a closes 5% of the gap." in disagreement_sentence(all_small, "not_automated")


def test_no_gap_is_said_and_what_cancels_in_it() -> None:
    nan = float("nan")
    near = disagreement_sentence(made([nan, nan], [0.001, 0.002], (6.0, 6.1), HEAD), HEAD)
    assert near == (
        "Ann and Bob hardly differ on parallel streams of the whole fleet at full automation (1 million against "
        "1.3 million, draws that never get there counted as lowest)."
    )
    assert "; a and b pull opposite ways and cancel." in disagreement_sentence(
        made([nan, nan], [0.101, -0.1], (6.0, 6.0), HEAD), HEAD
    )


HEAD = "log10_streams_at_automation"


def test_the_table_for_people_keeps_the_strongest_and_adds_up_the_rest() -> None:
    share = [0.5, 0.4, 0.2, 0.05, 0.02, 0.01, 0.01, -0.19]
    words = disagreement_words(made(share, [0.3 * x for x in share], (6.0, 6.6), HEAD), HEAD, rows=4)
    assert words["Swapped"].tolist() == ["a", "b", "c", "h", "4 others", "all"]
    assert words["Closes"].tolist() == ["50% (±2)", "40% (±2)", "20% (±2)", "-19% (±2)", "9%", "100%"]
    assert words["Moves it by"].tolist()[0] == "x 2" and words["Moves it by"].tolist()[-1] == "x 4"
    assert words["Ann"].tolist() == ["1.5"] * 4 + ["", "1 million"]
    assert words["Bob"].tolist() == ["2.5 (open)", "2.5", "2.5 (open)", "2.5", "", "4 million"]


@pytest.mark.parametrize(
    ("output", "moves", "end"),
    [("takeoff_years", "+0.6 years", "2"), ("year_100<2031", "+60 points", ">99.9%"), ("largest_speedup", "+0.6", "2")],
)
def test_shifts_are_said_in_units_of_the_output(output: str, moves: str, end: str) -> None:
    words = disagreement_words(made([1.0], [0.3], (1.0, 2.0 if end == "2" else 1.0), output), output)
    assert words["Moves it by"].tolist() == [moves, moves]
    assert words["Bob"].tolist()[-1] == end


# At the command line


@pytest.fixture(scope="module")
def file(small: xr.DataTree, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_run(small, tmp_path_factory.mktemp("run") / "run.nc"))


def call(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["compare", *map(str, arguments)])


def test_two_views_end_with_what_would_settle_it(file: str, fast: Path, slow: Path) -> None:
    result = call(file, "--view", fast, "--view", slow, "--output", "year_100")
    assert result.exit_code == 0, result.output
    before, after = result.stdout.split("fast and slow differ on")
    assert "Taken from the view" in before
    assert "Measuring" in " ".join(after.split()) and "would settle most." in " ".join(after.split())
    assert after.split("\n")[-2].split()[:2] == ["all", "100%"]


def test_one_view_or_none_of_the_differences_ends_as_before(file: str, fast: Path, slow: Path) -> None:
    for arguments in ((file, "--view", fast), (file, "--view", fast, "--view", slow, "--no-differences")):
        result = call(*arguments)
        assert result.exit_code == 0 and "Swapped" not in result.stdout, result.output


def test_a_leap_is_compared_without_what_would_settle_it(file: str, fast: Path, slow: Path) -> None:
    result = call(file, "--view", fast, "--view", slow, "--scenario", "hardware_leap")
    assert result.exit_code == 0 and "Swapped" not in result.stdout, result.output


def test_the_table_alone_is_what_the_function_returns(file: str, small: xr.DataTree, fast: Path, slow: Path) -> None:
    expected = rows(disagreement(small, fast, slow, ["year_100"]), "year_100")["rank_shift"].to_dict()
    asked = (file, "--view", fast, "--view", slow, "--disagreement", "--output", "year_100")
    records = json.loads(call(*asked, "--json").stdout)
    assert {row["parameter"]: row["rank_shift"] for row in records} == pytest.approx(expected)
    assert len(list(csv.DictReader(io.StringIO(call(*asked, "--csv").stdout)))) == len(records)
    shown = call(*asked).stdout
    assert shown.startswith("*** PRIOR ONLY ***") and "Full automation" not in shown and "Swapped" in shown


def test_without_the_flag_machines_get_the_comparison(file: str, fast: Path, slow: Path) -> None:
    records = json.loads(call(file, "--view", fast, "--view", slow, "--json").stdout)
    assert [row["view"] for row in records] == [POSTERIOR, "fast", "slow"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--disagreement",), "are about two views: give --view twice, not 0"),
        (("--view", "davidson2023", "--disagreement"), "give --view twice, not 1"),
        (("--view", "davidson2023", "--view", "davidson2023", "--disagreement"), "give --view twice, not 1"),
        (("--output", "year_100"), "give --view twice, not 0"),
        (("--view", "davidson2023", "--view", "davidson2024", "--disagreement"), "no scenario or view named"),
        (("--view", "davidson2023", "--view", "software_only", "--disagreement"), "give it with --scenario"),
        (
            ("--view", "davidson2023", "--view", "compute_bottlenecked", "--output", "year_1"),
            "no output named 'year_1'",
        ),
        (
            ("--view", "davidson2023", "--view", "compute_bottlenecked", "--disagreement", "--figure", "x.svg"),
            "drop one of them",
        ),
    ],
)
def test_bad_input_gives_one_clear_message(arguments: tuple[str, ...], said: str, file: str) -> None:
    result = call(file, *arguments)
    assert result.exit_code == 2 and result.stdout == "", result.output
    assert said in result.stderr and len(result.stderr.strip().splitlines()) == 1
    assert result.stderr.startswith("error: ")
