"""Low, central and high: which inputs are fixed where, and that more is more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from forecast import presets as module
from forecast.assignments import assigned
from forecast.dynamics import takeoff_with_years
from forecast.errors import InputError
from forecast.exploring import PRESETS, Exploring, exploring
from forecast.fitting import sample_prior
from forecast.observations import Observations
from forecast.overlays import Overlay
from forecast.presets import chosen_inputs, influences, preset, presets, with_presets
from forecast.priors import Priors, read_overlay
from forecast.runs import parameters_of, read_provenance
from forecast.statements import fixed
from forecast.views import apply_view

YEAR = 2031  # five years after as_of


@pytest.fixture(scope="module")
def drawn(priors: Priors, observations: Observations) -> xr.DataTree:
    """1000 draws of the prior: with 300, few inputs stand out of the noise."""
    return sample_prior(priors, observations, draws=500, chains=2, random_seed=1)


@pytest.fixture(scope="module")
def made(drawn: xr.DataTree) -> dict[str, Overlay]:
    return presets(drawn)


def answers(drawn: xr.DataTree, *overlays: Overlay) -> tuple[float, float, float]:
    """Medians of log10 streams and human-equivalents in the year, and P(full automation by its end)."""
    readouts, series = takeoff_with_years(apply_view(drawn, *overlays) if overlays else drawn, "baseline", [YEAR])
    counts = (float(series[name].median()) for name in ("log10_parallel_streams", "log10_human_equivalents"))
    return (*counts, 1.0 - float(readouts["not_automated"].mean()))


def values(overlay: Overlay) -> dict[str, float]:
    return {name: prior.params["value"] for name, prior in overlay.entries.items()}


# which inputs, and where


def test_a_preset_fixes_the_strongest_inputs_at_percentiles_of_the_draws(
    drawn: xr.DataTree, made: dict[str, Overlay]
) -> None:
    p, found = parameters_of(drawn), influences(drawn, YEAR)
    strongest = list(found)[: exploring().parameters]
    for name, level in (("low", 0.1), ("central", 0.5), ("high", 0.9)):
        assert list(made[name].entries) == strongest
        for parameter, value in values(made[name]).items():
            at = level if found[parameter] > 0 else 1.0 - level
            assert np.mean(p[parameter] <= value) == pytest.approx(at, abs=0.002)


def test_influence_is_the_rank_correlation_of_scipy(drawn: xr.DataTree) -> None:
    from scipy.stats import spearmanr

    _, series = takeoff_with_years(drawn, "baseline", [YEAR])
    p, found = parameters_of(drawn), influences(drawn, YEAR)
    for name, value in found.items():
        assert value == pytest.approx(spearmanr(p[name], series["log10_parallel_streams"].values.ravel()).statistic)
    sizes = [abs(value) for value in found.values()]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] > 3.0 / np.sqrt(1000)


def test_each_input_alone_moves_the_number_of_ais_the_way_its_sign_says(
    drawn: xr.DataTree, made: dict[str, Overlay]
) -> None:
    for name in made["low"].entries:
        few, many = (
            answers(drawn, Overlay("one", "", {name: made[end].entries[name]}, {}, {}))[0] for end in ("low", "high")
        )
        assert few < many


# more is more


def test_low_is_less_than_central_is_less_than_high(drawn: xr.DataTree, made: dict[str, Overlay]) -> None:
    low, central, high = (answers(drawn, made[name]) for name in PRESETS)
    assert low[0] < central[0] < high[0]
    assert low[1] < central[1] < high[1]


def test_on_the_fitted_run_a_preset_with_more_ais_has_a_faster_takeoff(run: xr.DataTree) -> None:
    """With 3 inputs the medians lie near the 10th and the 90th percentile of the number of AIs, as exploring.toml says."""
    found = presets(run)
    low, central, high = (answers(run, found[name]) for name in PRESETS)
    assert all(a < b < c for a, b, c in zip(low, central, high, strict=True))
    _, series = takeoff_with_years(run, "baseline", [YEAR])
    streams = series["log10_parallel_streams"].values
    assert 0.05 < np.mean(streams < low[0]) < 0.2
    assert 0.8 < np.mean(streams < high[0]) < 0.95


@pytest.mark.parametrize("view", ["davidson2023", "ai_futures2025"])
def test_so_it_is_of_a_view(drawn: xr.DataTree, view: str) -> None:
    base, found = read_overlay(view), presets(drawn, view)
    assert set(found["low"].entries) <= set(base.entries)
    low, central, high = (answers(drawn, base, found[name]) for name in PRESETS)
    assert low[0] < central[0] < high[0]
    assert low[2] < central[2] < high[2]


def test_low_is_no_percentile_of_the_answer(drawn: xr.DataTree, made: dict[str, Overlay]) -> None:
    """Inputs that are all as low as that at once are rarer than one draw in ten."""
    p, found = parameters_of(drawn), influences(drawn, YEAR)
    beyond = [np.sign(found[name]) * (p[name] - value) <= 0.0 for name, value in values(made["low"]).items()]
    assert len(beyond) > 1
    assert np.mean(np.all(beyond, axis=0)) < 0.05
    assert "It is a set of inputs, not a percentile of the answer." in made["low"].description


def test_all_else_keeps_its_spread(drawn: xr.DataTree, made: dict[str, Overlay]) -> None:
    before, after = parameters_of(drawn), parameters_of(apply_view(drawn, made["low"]))
    for name, value in values(made["low"]).items():
        assert np.all(after[name] == value)
    free = [name for name in ("taste_slope", "returns", "software_doubling_months") if name not in made["low"].entries]
    for name in free:
        assert np.std(np.log(after[name])) == pytest.approx(np.std(np.log(before[name])), rel=0.05)


# what a view leaves open


def test_percentiles_are_those_of_the_view(drawn: xr.DataTree) -> None:
    seen = parameters_of(apply_view(drawn, "davidson2023"))
    for name, value in values(preset(drawn, "high", "davidson2023")).items():
        assert np.mean(seen[name] <= value) == pytest.approx(0.9, abs=0.002) or np.mean(
            seen[name] <= value
        ) == pytest.approx(0.1, abs=0.002)


def test_what_is_set_by_hand_stays_set_and_bounds_nothing_else(drawn: xr.DataTree, made: dict[str, Overlay]) -> None:
    first, *rest = made["low"].entries
    found = preset(drawn, "low", [assigned(f"{first}={values(made['central'])[first]!r}")])
    assert first not in found.entries
    assert set(rest) <= set(found.entries)


def test_without_a_stated_input_that_matters_the_strongest_of_all_are_taken() -> None:
    found = {"automation_gap": -0.5, "returns": 0.3, "taste_slope": 0.2}
    mine = Overlay("mine", "", {"taste_slope": fixed(0.3)}, {}, {})
    other = Overlay("other", "", {"leap_pool": fixed(0.3)}, {}, {})
    assert chosen_inputs(found, [mine], 2) == {"taste_slope": 0.2}
    assert chosen_inputs(found, [other], 2) == {"automation_gap": -0.5, "returns": 0.3}


def test_what_follows_from_a_stated_asymptote_is_not_fixed_beside_it() -> None:
    found = {"infinite_labour_multiple": 0.5, "substitution_elasticity": 0.5, "compute_share": 0.4}
    sigma = assigned("substitution_elasticity=0.6")
    assert list(chosen_inputs(found, [sigma], 3)) == ["substitution_elasticity", "compute_share"]
    assert list(chosen_inputs(found, [], 3)) == ["infinite_labour_multiple", "compute_share"]


def test_a_present_that_is_denied_is_said(drawn: xr.DataTree) -> None:
    """An hour of horizon is behind us: with it, research would be fully automated today."""
    hour = assigned(["required_horizon_minutes=1h", "research_gap=0.01"])
    assert "would be fully automated today, which it is not" in preset(drawn, "high", [hour]).description


# names and records


def test_the_record_of_a_run_names_the_preset_and_its_inputs(drawn: xr.DataTree, made: dict[str, Overlay]) -> None:
    record = read_provenance(apply_view(drawn, "davidson2023", made["high"]))
    assert record["views"] == ["davidson2023", "preset high"]
    for name, value in values(made["high"]).items():
        assert record["priors"][name] == {"value": value, "distribution": "fixed"}
        assert "percentile of the draws" in made["high"].entries[name].rationale
        assert f"{name} = {value:.4g}" in made["high"].description


def test_an_unknown_name_is_met_with_a_suggestion(drawn: xr.DataTree) -> None:
    with pytest.raises(InputError, match="no preset named 'hi'; did you mean 'high'|no preset named 'hi'; known"):
        preset(drawn, "hi")


def test_nothing_to_fix_is_said(drawn: xr.DataTree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "influences", lambda *_: {})
    with pytest.raises(InputError, match="nothing that varies here has to do with the number of AIs in 2031"):
        presets(drawn)


def test_columns_of_a_comparison_are_each_view_and_its_presets(
    drawn: xr.DataTree, made: dict[str, Overlay], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "presets", lambda *_: made)
    columns = with_presets(drawn, ["davidson2023"], ["low", "high"])
    assert [read_overlay(one).label for one in columns] == ["davidson2023", "davidson2023 low", "davidson2023 high"]
    both = read_overlay(columns[1]).entries
    assert set(both) == {*read_overlay("davidson2023").entries, *made["low"].entries}
    assert [read_overlay(one).label for one in with_presets(drawn, [], ["high"])] == ["preset high"]
    assert with_presets(drawn, ["davidson2023"], []) == ["davidson2023"]


def test_the_numbers_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        "[set]\nwidths = 5\n[presets]\nparameters = 4\nyears_ahead = 3\nlow = 0.2\ncentral = 0.5\nhigh = 0.8\n"
    )
    assert exploring(path) == Exploring(5.0, 4, 3, {"low": 0.2, "central": 0.5, "high": 0.8})
