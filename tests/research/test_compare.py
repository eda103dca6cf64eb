"""Views side by side: the run itself is the first, noise is common, and each parameter's share adds nothing of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from forecast.dynamics import takeoff
from forecast.errors import InputError
from forecast.headlines import estimate
from forecast.research.compare import (
    OUTPUTS,
    POSTERIOR,
    compare,
    comparison_table,
    difference_sentence,
    differences,
    shift,
    thinned,
    view_names,
)
from forecast.runs import parameters_of
from forecast.schema import EVENTS, READOUTS
from forecast.side_draws import side_draws
from forecast.views import apply_view

BOTH = ["baseline", "hardware_leap"]
HEAD = '[overlay]\ndescription = "A test."\nreferences = ["me"]\n\n'
FOOT = '\n[sources.me]\ncite = "A test"\nlocator = "here"\n'
SAME_POOL = 'distribution = "LogitNormal"\ninterval = [0.1, 0.7]\nmass = 0.90\nunits = "1"\n'  # as hardware_leap.toml
SLOW_SOFTWARE = 'distribution = "LogNormal"\ninterval = [24.0, 48.0]\nunits = "months"\n'
FAST_HARDWARE = 'distribution = "Normal"\ninterval = [0.15, 0.2]\nunits = "OOM/yr"\n'


def view(folder: Path, name: str, **states: str) -> Path:
    tables = [f'[priors.{key}]\n{text}source = ["me"]\nrationale = "A test."\n' for key, text in states.items()]
    path = folder / f"{name}.toml"
    path.write_text(HEAD + "\n".join(tables) + FOOT, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("views")


@pytest.fixture(scope="module")
def two(folder: Path) -> Path:
    """A view that states one thing of weight and one that hardly matters."""
    return view(folder, "two", software_doubling_months=SLOW_SOFTWARE, price_performance_growth=FAST_HARDWARE)


@pytest.fixture(scope="module")
def own(prior_run: xr.DataTree) -> xr.Dataset:
    return takeoff(prior_run, BOTH)


@pytest.fixture(scope="module")
def compared(prior_run: xr.DataTree, folder: Path, two: Path) -> xr.Dataset:
    """Two views beside the run: one that states again what the run has, and one that does not."""
    return compare(prior_run, [view(folder, "same", leap_pool=SAME_POOL), two], BOTH)


# --- views ------------------------------------------------------------------------------------------------------


def test_every_read_out_stands_in_a_row_per_view(compared: xr.Dataset, own: xr.Dataset) -> None:
    assert compared["view"].values.tolist() == [POSTERIOR, "same", "two"]
    assert dict(compared.sizes) == {"view": 3, "scenario": 2, "chain": 2, "draw": 150}
    assert set(compared.data_vars) == READOUTS.keys() | EVENTS.keys()
    for name, values in compared.items():
        assert values.attrs == own[name].attrs, name


def test_the_first_view_is_the_run_itself_bit_for_bit(compared: xr.Dataset, own: xr.Dataset) -> None:
    xr.testing.assert_identical(compared.sel(view=POSTERIOR, drop=True), own)


def test_a_view_that_says_of_a_side_parameter_what_the_run_says_changes_nothing(
    compared: xr.Dataset, own: xr.Dataset
) -> None:
    xr.testing.assert_identical(compared.sel(view="same", drop=True), own)


def test_a_side_parameter_that_a_view_does_change_moves_the_leap_alone(
    prior_run: xr.DataTree, folder: Path, own: xr.Dataset
) -> None:
    more = view(folder, "more", leap_pool=SAME_POOL.replace("[0.1, 0.7]", "[0.6, 0.9]"))
    found = compare(prior_run, [more], BOTH).sel(view="more", drop=True)
    xr.testing.assert_identical(found.sel(scenario="baseline"), own.sel(scenario="baseline"))
    gained = (found["first_year_gain"] - own["first_year_gain"]).sel(scenario="hardware_leap")
    assert float((gained > 1e-6).mean()) > 0.3 > 0.02 > float((gained < -1e-6).mean())


def test_each_view_is_the_take_off_of_the_run_as_its_author_sees_it(
    prior_run: xr.DataTree, two: Path, compared: xr.Dataset
) -> None:
    xr.testing.assert_identical(takeoff(apply_view(prior_run, two), BOTH), compared.sel(view="two", drop=True))


def test_slower_software_automates_later_draw_by_draw(compared: xr.Dataset) -> None:
    """The noise is common: nearly every draw moves the way the view says."""
    year = compared["year_100"].sel(scenario="baseline")
    known, seen = year.sel(view=POSTERIOR), year.sel(view="two")
    assert float((seen >= known).mean()) > 0.95
    assert float((seen > known).mean()) > 0.3


def test_views_that_do_not_exist_or_share_a_name_are_refused(prior_run: xr.DataTree, tmp_path: Path, two: Path) -> None:
    with pytest.raises(InputError, match="no scenario or view named 'davidson2024'; did you mean 'davidson2023'"):
        compare(prior_run, ["davidson2024"])
    with pytest.raises(InputError, match="no such overlay file"):
        compare(prior_run, [tmp_path / "absent.toml"])
    other = view(tmp_path, "two", software_doubling_months=SLOW_SOFTWARE)
    with pytest.raises(InputError, match=r"two views share a name \(two, two\): rename one file"):
        compare(prior_run, [two, other])
    with pytest.raises(InputError, match="no scenario named 'basline'"):
        compare(prior_run, [], "basline")
    with pytest.raises(InputError, match="years"):
        compare(prior_run, [], years=[2040, 2030])


def test_without_a_view_the_run_stands_alone(prior_run: xr.DataTree, own: xr.Dataset) -> None:
    alone = compare(prior_run, [])
    xr.testing.assert_identical(alone.sel(view=POSTERIOR, drop=True), own.sel(scenario=["baseline"]))


def test_all_shipped_views_are_known_and_no_scenario() -> None:
    assert {"davidson2023", "compute_bottlenecked"} <= set(view_names())
    assert not {"baseline", "software_only", "hardware_leap", "no_slowdown"} & set(view_names())


def test_a_view_on_a_small_run_of_the_prior_moves_nothing_but_what_it_states(prior_run: xr.DataTree, two: Path) -> None:
    """Draws of the prior are independent: whatever else moved would follow a chance correlation."""
    before, after = (parameters_of(one) for one in (prior_run, apply_view(prior_run, two)))
    moved = {name for name, values in before.items() if not np.array_equal(values, after[name])}
    assert moved == {"software_doubling_months", "price_performance_growth", "effective_flop_centre"}


# --- thinning ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("draws", "each"), [(None, 150), (1000, 150), (300, 150), (150, 75), (100, 50), (30, 15), (7, 4), (1, 1), (0, 1)]
)
def test_about_so_many_draws_are_taken_evenly_from_every_chain(
    prior_run: xr.DataTree, draws: int | None, each: int
) -> None:
    kept = thinned(prior_run, draws)["posterior"]
    assert (kept.sizes["chain"], kept.sizes["draw"]) == (2, each)
    picked = kept["draw"].values
    assert picked[0] == 0 and np.ptp(np.diff(picked)) == 0 if each > 1 else picked.tolist() == [0]
    assert prior_run["posterior"].sizes["draw"] == 150


def test_a_thinned_run_gives_the_numbers_of_its_draws(prior_run: xr.DataTree, own: xr.Dataset) -> None:
    few = takeoff(thinned(prior_run, 60), "baseline")
    same = own.sel(scenario=["baseline"]).isel(draw=slice(None, None, 5))
    for name, values in few.items():
        np.testing.assert_array_equal(values.values, same[name].values, err_msg=name)


def test_a_thinned_run_keeps_the_side_draws_of_its_draws(prior_run: xr.DataTree) -> None:
    whole, few = (side_draws(run, "hardware_leap")["leap_pool"] for run in (prior_run, thinned(prior_run, 60)))
    np.testing.assert_array_equal(few, whole.reshape(2, 150)[:, ::5].ravel())


# --- what makes the difference ----------------------------------------------------------------------------------


def test_the_run_itself_has_no_strength_and_the_whole_view_its_own_numbers(
    prior_run: xr.DataTree, two: Path, compared: xr.Dataset
) -> None:
    table = differences(prior_run, two).set_index("parameter")
    assert table.index.tolist() == ["none", "software_doubling_months", "price_performance_growth", "all"]
    assert table.loc["none", "strength"] == 0.0
    for row, name in (("none", POSTERIOR), ("all", "two")):
        one = compared.sel(view=name, scenario="baseline")
        for output in OUTPUTS:
            assert table.loc[row, output] == estimate(one[output]).median, (row, output)
    base, whole = (compared.sel(view=name, scenario="baseline") for name in (POSTERIOR, "two"))
    assert table.loc["all", "strength"] == max(shift(whole[x].values, base[x].values) for x in OUTPUTS)
    assert table.loc["software_doubling_months", "strength"] > 3.0 * table.loc["price_performance_growth", "strength"]


def test_a_swap_changes_what_it_names_and_says_how_far_it_went(prior_run: xr.DataTree, two: Path) -> None:
    table = differences(prior_run, two).set_index("parameter")
    months = np.log(parameters_of(prior_run)["software_doubling_months"])
    there = 0.5 * (np.log(24.0) + np.log(48.0))
    expected = (there - np.median(months)) / months.std()
    assert table.loc["software_doubling_months", "distance"] == pytest.approx(expected)
    assert np.isnan(table.loc[["none", "all"], "distance"].astype(float)).all()


def test_a_view_that_does_not_exist_makes_no_difference(prior_run: xr.DataTree) -> None:
    with pytest.raises(InputError, match="no scenario or view named 'nobody'"):
        differences(prior_run, "nobody")


def test_shift_is_in_standard_deviations_and_never_counts_as_a_little_more() -> None:
    old = np.array([1.0, 2.0, 3.0, 4.0])
    assert shift(old + 2.0, old) == pytest.approx(2.0 / old.std())
    assert shift(old, old) == 0.0
    assert shift(np.array([5.0]), np.array([3.0, 3.0])) == 0.0  # nothing to measure it by
    assert shift(np.full(4, np.inf), np.full(4, np.inf)) == 0.0
    late = np.array([1.0, 2.0, 3.0, np.inf])
    assert shift(late, old) == pytest.approx((5.0 - 4.0) / 4.0 / old.std())


def test_the_table_repeats_the_draws(compared: xr.Dataset) -> None:
    table = comparison_table(compared).set_index(["view", "scenario"])
    assert len(table) == 6
    one = compared.sel(view="two", scenario="baseline")
    row = table.loc[("two", "baseline")]
    assert row["not_automated"] == float(one["not_automated"].mean())
    found = estimate(one["best_year_gain"])
    assert (row["best_year_gain"], row["best_year_gain_high"]) == (found.median, found.high)


def test_the_sentence_names_what_leads_and_what_is_far(prior_run: xr.DataTree, two: Path) -> None:
    table = differences(prior_run, two)
    assert difference_sentence("two", table, far=np.inf) == "two differs mostly through software_doubling_months."
    said = difference_sentence("two", table, far=0.1)
    assert "(software_doubling_months, price_performance_growth far outside the posterior" in said
    assert said.endswith("fit it with forecast run --view two).")
