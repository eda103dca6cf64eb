"""Steps and information against draws whose answers are known; states from fits that are played; nothing is fitted here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from model.conjugate import conjugate
from scipy import stats

from forecast.assembling import prior_draws, with_derived
from forecast.compiling import compiled_model
from forecast.driver_plots import plot_waterfall
from forecast.drivers import evidence as own
from forecast.drivers.evidence import (
    all_states,
    components,
    evidence,
    made_from,
    planned,
    recorded_priors,
    switched_draws,
)
from forecast.drivers.evidence_tables import (
    ADDED,
    EVERYTHING,
    LEFT_OUT,
    NOTHING,
    Blocks,
    Evidence,
    State,
    comparisons,
    evidence_key,
    information_table,
    quantile_error,
    restored_evidence,
    steps_table,
    stored_evidence,
    summarised,
)
from forecast.drivers.evidence_words import evidence_sentences, evidence_words
from forecast.drivers.outputs import Output, parsed_outputs
from forecast.errors import InputError
from forecast.fitting import sampler_settings, taken_apart
from forecast.model import build_switched_model
from forecast.observations import Observations
from forecast.priors import Priors, load_priors
from forecast.research.compare import view_names
from forecast.runs import provenance, read_provenance, with_provenance
from forecast.schema import BLOCKS
from forecast.views import apply_view

DRAWS = 1000
STREAMS, YEARS, EVENT = OUTPUTS = ("log10_streams_at_automation", "takeoff_years", "not_automated")
ORDER = {block: i for i, block in enumerate(BLOCKS)}
NARROWING, MOVING = "deployment", "compute"


def sets() -> list[Blocks]:
    return sorted({blocks for _, _, *pair in comparisons() for blocks in pair}, key=sorted)


def planted(blocks: Blocks, shape: tuple[int, int] = (4, DRAWS)) -> dict[str, np.ndarray]:
    """Outputs under some blocks: `MOVING` adds 2 to the median, `NARROWING` halves the spread, takeoff gets all there."""
    even = stats.norm.ppf((np.arange(np.prod(shape)) + 0.5) / np.prod(shape))
    noise = np.random.default_rng(1).permutation(even).reshape(shape)  # the same for all: changes are exact
    centre, spread = 5.0 + 2.0 * (MOVING in blocks), 0.5 if NARROWING in blocks else 1.0
    late = np.arange(shape[1]) % 10 < (0 if "takeoff" in blocks else 6)
    return {
        STREAMS: np.where(late, -np.inf, centre + spread * noise),
        YEARS: np.where(late, np.inf, np.exp(spread * noise)),
        EVENT: np.broadcast_to(late, shape).astype(float),
    }


def outputs() -> list[Output]:
    return parsed_outputs(OUTPUTS)


@pytest.fixture(scope="module")
def steps() -> pd.DataFrame:
    values = {blocks: planted(blocks) for blocks in sets()}
    return steps_table(outputs(), values, {blocks: blocks != EVERYTHING - {"compute"} for blocks in sets()})


def rows(steps: pd.DataFrame, output: str, kind: str) -> pd.DataFrame:
    chosen = steps[(steps["output"] == output) & (steps["kind"] == kind)]
    return chosen.set_index("block")


# Which sets are compared, and which are fitted


def test_each_block_is_added_to_those_before_it_and_left_out_of_all() -> None:
    found = comparisons()
    assert [(kind, block) for kind, block, _, _ in found] == [(k, b) for k in (ADDED, LEFT_OUT) for b in BLOCKS]
    assert all(with_it - without == {block} and without < with_it for _, block, with_it, without in found)
    assert found[0][3] == NOTHING
    assert found[len(BLOCKS) - 1][2] == EVERYTHING


def joined_by_hand(active: Iterable[str], reads: Mapping[str, frozenset[str]]) -> set[Blocks]:
    """Blocks that a chain of shared parameters connects, by walking from each."""

    def reached(start: str) -> Blocks:
        seen, todo = {start}, [start]
        while todo:
            block = todo.pop()
            more = {other for other in active if other not in seen and reads[block] & reads[other]}
            seen |= more
            todo += more
        return frozenset(seen)

    return {reached(block) for block in active}


@pytest.mark.parametrize("seed", range(8))
def test_groups_are_the_connected_blocks_and_every_group_is_in_a_fit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    reads = {block: frozenset(rng.choice(12, size=rng.integers(1, 4)).astype(str)) for block in BLOCKS}
    wanted = set(sets()) - {NOTHING, EVERYTHING}
    fits = planned(wanted, reads)
    available = {group for active in fits for group in components(active, reads)}
    for active in wanted:
        assert set(components(active, reads)) == joined_by_hand(active, reads)
        assert available.issuperset(components(active, reads))
    assert len(fits) == len(set(fits)) <= len(wanted)


def test_blocks_that_share_nothing_take_one_fit_and_those_that_share_all_one_each() -> None:
    wanted = set(sets()) - {NOTHING, EVERYTHING}
    apart = {block: frozenset({block}) for block in BLOCKS}
    together = dict.fromkeys(BLOCKS, frozenset({"x"}))
    assert len(planned(wanted, apart)) == 2  # all but one, and one that has it
    assert len(planned(wanted, together)) == len(wanted) == 16


# Steps


def test_the_first_step_is_the_prior_and_the_last_the_posterior(steps: pd.DataFrame) -> None:
    added = rows(steps, STREAMS, ADDED)
    assert added.index.tolist() == ["prior", *BLOCKS]
    first, last = planted(NOTHING)[STREAMS], planted(EVERYTHING)[STREAMS]
    assert added.loc["prior", "median"] == pytest.approx(np.median(first[np.isfinite(first)]), abs=1e-12)
    assert added.loc["takeoff", ["low", "median", "high"]].tolist() == pytest.approx(
        np.quantile(last, [0.05, 0.5, 0.95]).tolist(), abs=1e-12
    )


def test_the_changes_of_the_steps_add_up_from_prior_to_posterior(steps: pd.DataFrame) -> None:
    added = rows(steps, STREAMS, ADDED)
    for name in ("median", "width", "probability"):
        assert np.isnan(added.loc["prior", f"{name}_change"])
        total = added[f"{name}_change"].iloc[1:].sum()
        assert total == pytest.approx(added[name].iloc[-1] - added[name].iloc[0], abs=1e-12)


def test_only_the_blocks_that_do_something_move_anything(steps: pd.DataFrame) -> None:
    added, left = rows(steps, STREAMS, ADDED).iloc[1:], rows(steps, STREAMS, LEFT_OUT)
    assert added["median_change"].abs().idxmax() == left["median_change"].abs().idxmax() == MOVING
    assert added.loc[MOVING, "median_change"] == pytest.approx(2.0, abs=0.01)
    assert left.loc[MOVING, "median_change"] == pytest.approx(-2.0, abs=0.01)
    assert left.loc[NARROWING, "width_change"] == pytest.approx(2.0 * 1.645 * 0.5, abs=0.05)
    idle = [block for block in BLOCKS if block not in (MOVING, NARROWING, "takeoff")]
    assert (added.loc[idle, ["median_change", "width_change", "probability_change"]] == 0.0).all(axis=None)
    assert (left.loc[idle, ["median_change", "width_change", "probability_change"]] == 0.0).all(axis=None)


def test_what_never_comes_stays_infinite_and_is_counted(steps: pd.DataFrame) -> None:
    added = rows(steps, YEARS, ADDED)
    assert added.loc["prior", "median"] == added.loc["prior", "width"] == np.inf
    assert added.loc["prior", "probability"] == pytest.approx(0.6)
    assert added.loc["utilization", "median_change"] == added.loc["utilization", "width_change"] == 0.0
    assert added.loc["takeoff", "median_change"] == -np.inf
    assert added.loc["takeoff", "probability"] == 0.0
    left = rows(steps, YEARS, LEFT_OUT)
    assert left.loc["takeoff", ["median_change", "width_change"]].tolist() == [np.inf, np.inf]


def test_a_number_at_automation_is_over_the_draws_that_reach_it(steps: pd.DataFrame) -> None:
    assert np.isfinite(rows(steps, STREAMS, ADDED)[["low", "median", "high"]]).all(axis=None)
    assert rows(steps, STREAMS, ADDED).loc["prior", "probability"] == pytest.approx(0.6)


def test_an_event_has_a_probability_and_no_quantiles(steps: pd.DataFrame) -> None:
    added = rows(steps, EVENT, ADDED)
    assert added["median"].isna().all()
    assert added.loc["takeoff", "probability_change"] == pytest.approx(-0.6)


def test_a_step_says_whether_its_fits_converged(steps: pd.DataFrame) -> None:
    left = rows(steps, STREAMS, LEFT_OUT)
    assert left.index[~left["converged"].astype(bool)].tolist() == ["compute"]
    assert rows(steps, STREAMS, ADDED)["converged"].all()


def dependent(seed: int, correlation: float = 0.0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(4, 500))
    values = noise.copy()
    for i in range(1, noise.shape[1]):
        values[:, i] = correlation * values[:, i - 1] + np.sqrt(1.0 - correlation**2) * noise[:, i]
    return values


@pytest.mark.parametrize("correlation", [0.0, 0.6])
@pytest.mark.parametrize("share", [0.0, 0.3])
def test_the_error_of_a_median_is_its_scatter_over_seeds(correlation: float, share: float) -> None:
    """Of dependent draws too, and where some draws have no value."""
    found, errors = [], []
    for seed in range(60):
        values = dependent(seed, correlation)
        values[np.random.default_rng(100 + seed).random(values.shape) < share] = -np.inf
        found.append(float(np.median(values[np.isfinite(values)])))
        errors.append(quantile_error(values, 0.5))
    assert np.mean(errors) == pytest.approx(np.std(found), rel=0.3)


def test_where_no_draw_reaches_automation_there_is_no_number() -> None:
    found = summarised(outputs()[0], np.full((4, 50), -np.inf))
    assert np.isnan(found["median"])
    assert found["probability"] == 1.0


# Information


def state(seed: int, shift: float, spread: float, learned: Mapping[str, Blocks]) -> State:
    """Draws of two parameters on their own scales: an exponent between 0 and 0.6, and a number of researchers."""
    rng = np.random.default_rng(seed)
    within = 1.0 / (1.0 + np.exp(-(shift + spread * rng.normal(size=(4, DRAWS)))))
    draws = {"depth_exponent": 0.6 * within, "leader_researchers": np.exp(rng.normal(8.0, 1.0, size=(4, DRAWS)))}
    posterior = xr.Dataset({name: (("chain", "draw"), values) for name, values in draws.items()})
    return State(xr.DataTree.from_dict({"posterior": posterior}), learned, True)


def test_information_is_the_divergence_on_any_scale_of_what_has_learned(priors: Priors) -> None:
    """Unconstrained, a quarter of the spread and a shift by half of it: KL of two normals."""
    expected = (np.log(4.0) + (0.25**2 + 0.5**2 - 1.0) / 2.0) / np.log(2.0)
    own = frozenset({"depth_scaling"})
    states = {
        blocks: state(
            i, *((0.5, 0.25) if own <= blocks else (0.0, 1.0)), {"depth_exponent": own} if own <= blocks else {}
        )
        for i, blocks in enumerate(sets())
    }
    found = information_table(states, priors, 2026.83)
    assert found[["kind", "block", "parameter"]].to_numpy().tolist() == [
        [ADDED, "depth_scaling", "depth_exponent"],
        [LEFT_OUT, "depth_scaling", "depth_exponent"],
    ]
    assert found["bits"].tolist() == pytest.approx([expected, expected], abs=0.2)
    assert ((found["raw"] - expected).abs() < 4.0 * found["error"]).all()
    assert found["shift"].tolist() == pytest.approx([0.5, 0.5], abs=0.1)
    assert found["spread"].tolist() == pytest.approx([0.25, 0.25], abs=0.02)


def test_leaving_out_the_last_block_is_the_step_that_added_it(priors: Priors) -> None:
    states = {blocks: state(i, 0.0, 1.0, {"depth_exponent": blocks}) for i, blocks in enumerate(sets())}
    found = information_table(states, priors, 2026.83)
    one, other = (found[(found["kind"] == kind) & (found["block"] == BLOCKS[-1])] for kind in (ADDED, LEFT_OUT))
    numbers = ["parameter", "bits", "raw", "error"]
    assert one[numbers].to_numpy().tolist() == other[numbers].to_numpy().tolist()
    assert len(one) == 1


# From fits to states; the fits are played


def played(priors: Priors, observations: Observations) -> Callable[..., Any]:
    """In the place of `refits`: every parameter that is read comes from the prior, half of it, seeded by the set."""

    def refits(chosen: Sequence[Blocks], reads: Mapping[str, frozenset[str]], *others: Any) -> dict[Blocks, Any]:
        settings = others[2]
        found = {}
        for i, active in enumerate(chosen):
            names = sorted(set().union(*(reads[block] for block in active)))
            draws = prior_draws(priors, observations, settings | {"random_seed": 100 + i}, names)
            numbers = {"divergences": i, "max_rhat": 1.0, "min_ess_bulk": 500.0, "min_ess_tail": 500.0}
            failures = ["3 divergent transitions"] if active == EVERYTHING - {"compute"} else []
            found[active] = (draws, numbers | {"passed": not failures, "failures": failures})
        return found

    return refits


@pytest.fixture(scope="module")
def fitted(prior_run: xr.DataTree) -> xr.DataTree:
    """Draws of the prior that say they are of a fit."""
    gate = {"passed": True}
    return with_provenance(prior_run.copy(), read_provenance(prior_run) | {"kind": "posterior", "gate": gate})


SETTINGS = {"draws": 50, "tune": 1, "chains": 4, "random_seed": 1}


@pytest.fixture(scope="module")
def states(fitted: xr.DataTree, priors: Priors, observations: Observations) -> dict[Blocks, State]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own, "refits", played(priors, observations))
        return all_states(fitted, priors, observations, SETTINGS, lambda _: None)[0]


def values_of(found: State, name: str) -> np.ndarray:
    return np.asarray(found.run["posterior"][name].values)


def test_without_data_a_state_is_the_prior_by_the_same_seed(
    states: dict[Blocks, State], priors: Priors, observations: Observations
) -> None:
    expected = with_derived(prior_draws(priors, observations, SETTINGS), priors, observations)
    found = states[NOTHING].run["posterior"].to_dataset()
    assert set(found) == set(expected)
    assert all(np.array_equal(found[name].values, expected[name].values) for name in expected)


def test_adding_a_block_that_stands_alone_changes_its_own_parameters_only(states: dict[Blocks, State]) -> None:
    before, after = states[NOTHING], states[frozenset({"depth_scaling"})]
    changed = {
        n for n in before.run["posterior"].data_vars if not np.array_equal(values_of(before, n), values_of(after, n))
    }
    assert changed == set(after.learned)
    assert changed == {
        "depth_exponent",
        "reference_layers",
        "depth_family_scale",
        "depth_family_variate",
        "depth_scatter",
    }


def test_a_group_of_blocks_has_the_same_draws_in_every_step_it_stands_in(states: dict[Blocks, State]) -> None:
    steps = [states[frozenset(BLOCKS[: i + 1])] for i in range(len(BLOCKS) - 1)]  # the last joins all
    for name in ("depth_exponent", "reference_layers"):
        assert all(np.array_equal(values_of(step, name), values_of(steps[0], name)) for step in steps[1:])
    assert np.array_equal(values_of(steps[2], "loss_at_centre"), values_of(steps[5], "loss_at_centre"))
    assert not np.array_equal(values_of(steps[5], "loss_at_centre"), values_of(steps[6], "loss_at_centre"))


def test_the_whole_set_is_the_run_itself(states: dict[Blocks, State], fitted: xr.DataTree) -> None:
    assert states[EVERYTHING].run is fitted
    assert set(states[EVERYTHING].learned) >= {"depth_exponent", "returns", "required_horizon_minutes"}
    assert "leader_variate" not in states[EVERYTHING].learned


def test_a_state_on_a_fit_that_failed_says_so(states: dict[Blocks, State]) -> None:
    assert [blocks for blocks, one in states.items() if not one.converged] == [EVERYTHING - {"compute"}]


@pytest.fixture(scope="module")
def found(fitted: xr.DataTree, priors: Priors, observations: Observations) -> Evidence:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own, "refits", played(priors, observations))
        return evidence(fitted, outputs=OUTPUTS, draws=50, tune=1)


def test_evidence_has_every_step_of_every_output_and_no_draw_is_lost(found: Evidence) -> None:
    assert len(found.steps) == len(OUTPUTS) * (1 + 2 * len(BLOCKS))
    assert found.outputs == OUTPUTS
    assert (found.scenario, found.last_year) == ("baseline", 2045)
    by_output = [found.steps[found.steps["output"] == name]["probability"].to_numpy() for name in OUTPUTS]
    assert np.array_equal(by_output[0], by_output[1])
    assert np.array_equal(by_output[0], by_output[2])
    assert found.fits["divergences"].tolist() == list(range(len(found.fits)))


def test_the_last_step_is_what_the_run_itself_says(found: Evidence, fitted: xr.DataTree) -> None:
    from forecast.dynamics import takeoff

    read = takeoff(fitted, "baseline")
    last = found.steps[(found.steps["block"] == "takeoff") & (found.steps["kind"] == ADDED)].set_index("output")
    assert last.loc[EVENT, "probability"] == pytest.approx(float(read["not_automated"].mean()))
    assert last.loc[STREAMS, "median"] == pytest.approx(float(np.nanmedian(read[STREAMS])))


# What a run must be


def test_the_priors_of_a_run_are_read_from_its_record(observations: Observations) -> None:
    for overlays in ([], *([view] for view in view_names())):
        priors = load_priors(overlays=overlays)
        record = json.loads(json.dumps(provenance(priors, observations, {}, "posterior"), sort_keys=True))
        assert recorded_priors(record).digest == priors.digest


def test_draws_that_are_of_no_fit_or_of_other_data_are_refused(
    prior_run: xr.DataTree, fitted: xr.DataTree, priors: Priors, observations: Observations
) -> None:
    with pytest.raises(InputError, match="draws of the prior.*forecast fit"):
        made_from(prior_run)
    with pytest.raises(InputError, match="seen through davidson2023.*forecast run --view"):
        made_from(apply_view(fitted, "davidson2023"))
    with pytest.raises(InputError, match="other priors or tables: pass the same"):
        made_from(fitted, priors=priors.replace(returns=1.0))
    other = replace(observations, digests=observations.digests | {"hardware": "x"})
    with pytest.raises(InputError, match="other priors or tables"):
        made_from(fitted, observations=other)
    assert made_from(fitted, priors, observations) == (priors, observations)


def test_too_few_draws_are_refused_before_anything_is_fitted(fitted: xr.DataTree) -> None:
    with pytest.raises(InputError, match="a refit are too few.*at least 43 draws"):
        evidence(fitted, draws=10)


# Keeping


def test_what_is_stored_is_restored(found: Evidence) -> None:
    back = restored_evidence(stored_evidence(found, "k"), "k")
    assert back is not None
    for name in ("steps", "information", "fits"):
        pd.testing.assert_frame_equal(getattr(back, name), getattr(found, name))
    assert (back.outputs, back.scenario, back.last_year) == (found.outputs, found.scenario, found.last_year)


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"key": "k"}', '{"key": "k", "steps": 3}'])
def test_what_is_damaged_or_of_another_key_is_not_restored(text: str | None, found: Evidence) -> None:
    assert restored_evidence(text, "k") is None
    assert restored_evidence(stored_evidence(found, "other"), "k") is None


def test_the_key_changes_with_what_is_asked_and_with_the_fit(fitted: xr.DataTree) -> None:
    record = read_provenance(fitted)
    other = with_provenance(fitted.copy(), record | {"digests": record["digests"] | {"fit": "x"}})
    keys = [
        evidence_key(fitted),
        evidence_key(fitted, [YEARS]),
        evidence_key(fitted, scenario="software_only"),
        evidence_key(fitted, years=range(2026, 2041)),
        evidence_key(other),
    ]
    assert len(set(keys)) == len(keys)
    assert evidence_key(fitted, [STREAMS, YEARS], years=range(2026, 2046)) == keys[0]


# Words and figure


@pytest.fixture(scope="module")
def told(steps: pd.DataFrame) -> Evidence:
    names = ["kind", "block", "parameter", "bits", "raw", "error", "shift", "spread"]
    rows = [
        [LEFT_OUT, "deployment", "log_stream_speed_2024", 8.0, 8.0, 0.2, -3.4, 0.2],
        [ADDED, "deployment", "log_stream_speed_2024", 7.5, 7.5, 0.2, -3.1, 0.2],
        [LEFT_OUT, "research", "returns", 0.4, 0.4, 0.02, 0.4, 0.8],
        [LEFT_OUT, "research", "labour_growth", 0.0, -0.01, 0.02, 0.0, 1.0],
    ]
    fit = ["all but compute", 3, 1.0, 500.0, 500.0, False, "3 divergent transitions (0 needed)"]
    columns = ["blocks", "divergences", "max_rhat", "min_ess_bulk", "min_ess_tail", "converged", "failures"]
    frames = steps, pd.DataFrame(rows, columns=names), pd.DataFrame([fit], columns=columns)
    return Evidence(*frames, outputs=OUTPUTS, scenario="baseline", last_year=2045)


def test_the_sentences_name_the_blocks_that_were_made_to_matter(told: Evidence) -> None:
    said = " ".join(evidence_sentences(told))
    assert "what moves it most is compute" in said
    assert "without compute it would be 100,000" in said
    assert "without deployment its 90% interval would be 3.3 OOM wide" in said
    assert "what moves it most is takeoff (not in the window to 1)" in said
    assert "Leaving out depth scaling, utilization" in said
    assert "log_stream_speed_2024 (8 bits, deployment)" in said
    assert "log_stream_speed_2024 (deployment, -3.4)" in said
    assert "fit to all but compute, which did not pass the gate: 3 divergent transitions" in said
    assert "nan" not in said


def test_where_nothing_matters_it_says_so(told: Evidence) -> None:
    values = {blocks: planted(EVERYTHING) for blocks in sets()}
    still = steps_table(outputs()[:1], values, dict.fromkeys(sets(), True))
    said = evidence_sentences(
        replace(told, steps=still, outputs=(STREAMS,), information=told.information[:0], fits=told.fits[:0])
    )
    assert "No single block matters much" in said[1]
    assert len(said) == 3


def test_the_tables_have_a_row_per_step_and_mark_what_failed(told: Evidence) -> None:
    streams, years, event, bits = evidence_words(told)
    assert streams[STREAMS].tolist()[0] == "prior"
    assert streams[STREAMS].tolist()[9] == "+ takeoff = posterior"
    assert streams[STREAMS].tolist()[10] == "without depth scaling"
    marked = streams[streams["Note"] != ""]
    assert marked[STREAMS].tolist() == ["without compute"]
    assert streams["Median"][9] == "10 million"
    assert streams["moves"][5].startswith("+2 ± 0.0")
    assert years["Median"][0] == "not in the window"
    assert years["width"][0] == "endless"
    assert years["moves"][9] == "into the window"
    assert event["moves"][9] == "-60 ± 1 points"
    assert bits["Parameter"].tolist() == ["log_stream_speed_2024", "returns"]
    assert bits["Bits, as it was added"].tolist() == ["7.5 ± 0.2", ""]
    assert not any("nan" in str(cell) for table in (streams, years, event, bits) for cell in table.to_numpy().ravel())


@pytest.mark.parametrize("output", OUTPUTS)
def test_the_waterfall_has_a_row_per_step_and_its_medians_in_place(told: Evidence, output: str) -> None:
    ax = plot_waterfall(told, output)
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert labels == ["prior", *(f"+ {block.replace('_', ' ')}" for block in BLOCKS)]
    measure = "probability" if output == EVENT else "median"
    own, rings = rows(told.steps, output, ADDED), rows(told.steps, output, LEFT_OUT)
    dots = {int(y): x for x, y in ax.collections[2].get_offsets()}
    finite = np.isfinite(own[measure].to_numpy())
    assert dots == pytest.approx({i: x for i, x in enumerate(own[measure]) if finite[i]})
    drawn = ax.collections[-1].get_offsets()
    assert drawn[:, 1].tolist() == list(range(1, 10))
    inside = np.isfinite(rings[measure].to_numpy())
    assert drawn[inside, 0].tolist() == pytest.approx(rings[measure][inside].tolist())
    assert (drawn[~inside, 0] > np.nanmax(np.where(np.isfinite(own["high"]), own["high"], -np.inf))).all()


def test_an_output_that_was_not_asked_for_has_no_waterfall(told: Evidence) -> None:
    with pytest.raises(InputError, match="no output 'year_100'"):
        plot_waterfall(told, "year_100")


# Fits of one small block, in seconds: the switches reach the sampler


def test_a_block_switched_off_leaves_the_prior_and_on_the_posterior_in_closed_form(
    priors: Priors, observations: Observations
) -> None:
    fixed, blocks = priors.replace(software_study_scale=0.2), ("algorithmic_progress",)
    compiled = compiled_model(build_switched_model(fixed, observations, blocks))
    settings = sampler_settings(draws=1000, tune=300, chains=2, random_seed=1)
    posterior, prior = conjugate(fixed, observations, 0.2)
    for active, expected in ((NOTHING, prior), (frozenset(blocks), posterior), (NOTHING, prior)):
        tree = switched_draws(compiled, active, settings, blocks)
        draws = np.log(taken_apart(tree["posterior"].to_dataset())["software_doubling_months"].values.ravel())
        assert draws.mean() == pytest.approx(expected.mean(), abs=0.1 * expected.std())
        assert draws.std() == pytest.approx(expected.std(), rel=0.1)
