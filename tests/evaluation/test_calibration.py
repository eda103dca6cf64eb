"""Calibration of one small block in CI; of every block, of the joint model, and against simuk where slow tests run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import simuk
import xarray as xr
from scipy import stats

from forecast.errors import ForecastError, InputError
from forecast.evaluation import replicates
from forecast.evaluation.calibration import (
    Calibration,
    calibrated,
    in_parallel,
    recovery,
    request,
    sbc,
)
from forecast.evaluation.calibration_summary import (
    calibration_sentence,
    held,
    independent_cases,
    model_words,
    recovery_table,
    summary,
    trouble_sentence,
)
from forecast.evaluation.ranks import FINE, chi_square, counted, positions
from forecast.evaluation.refits import Entry, Refit, as_data, name_of, of_own_blocks, refit
from forecast.evaluation.replicates import LIKELIHOOD, Replicate, dataset
from forecast.evaluation.truths import rows_of, simulated, truths_from_posterior, truths_from_prior, turned_down
from forecast.model import build_model
from forecast.model.on_draws import log_restrictions
from forecast.observations import Observations
from forecast.priors import Priors, interval
from forecast.schema import BLOCKS

BLOCK = "deployment"  # compiles in four seconds, and a refit takes 0.03
SETTINGS = {"replicates": 40, "draws": 300, "tune": 300, "chains": 1, "random_seed": 1}


@pytest.fixture(scope="module")
def model(priors: Priors, observations: Observations) -> Refit:
    return refit(priors, observations, (BLOCK,))


@pytest.fixture(scope="module")
def found(model: Refit) -> Calibration:
    return calibrate(model)


def calibrate(model: Refit, workers: int | None = None, **changes: int) -> Calibration:
    settings = SETTINGS | changes
    truths = truths_from_prior(
        model.priors, model.observations, model.blocks, settings["replicates"], settings["random_seed"]
    )
    return calibrated(model, truths, settings, workers=workers)


def test_a_block_recovers_what_was_put_in(found: Calibration) -> None:
    """Six parameters and the log likelihood, uniform among their draws; the data speak of each."""
    one = summary(found)
    assert (one.parameters["verdict"] == FINE).all()
    assert len(one.parameters) == 7 and LIKELIHOOD in set(one.parameters["parameter"])
    assert one.model["held_90_low"] < 0.9 < one.model["held_90_high"] + 0.02
    parameters = one.parameters[one.parameters["parameter"] != LIKELIHOOD]
    assert (parameters["contraction"] > 0.3).all()
    assert parameters["error"].abs().max() < 0.6 and parameters["error_spread"].between(0.6, 1.5).all()


def test_the_verdict_is_a_sentence(found: Calibration) -> None:
    said = calibration_sentence(summary(found))
    assert said.startswith("deployment: all 7 quantities within the band over 40 replicates; 90% intervals held")
    row = model_words([summary(found)]).iloc[0]
    assert row["Model"] == "deployment" and row["Replicates"] == 40 and row["Not calibrated"] == 0


def test_half_the_scatter_in_the_simulator_is_caught(model: Refit, monkeypatch: pytest.MonkeyPatch) -> None:
    """The posterior then finds half the scatter that was put in, and knows everything else better than it may say."""

    def quiet(rows: Any, replicate: int, seed: int) -> list[Any]:
        values = simulated(rows, replicate, seed)
        return [row.mean[replicate] + 0.5 * (y - row.mean[replicate]) for row, y in zip(rows, values, strict=True)]

    monkeypatch.setattr(replicates, "simulated", quiet)
    one = summary(calibrate(model))
    verdicts = dict(zip(one.parameters["parameter"], one.parameters["verdict"], strict=True))
    assert verdicts["stream_scatter"] == "too low"
    assert verdicts[LIKELIHOOD] != FINE
    assert "too low: stream_scatter" in calibration_sentence(one)


def test_a_prior_that_is_not_the_simulators_is_caught(priors: Priors, observations: Observations, model: Refit) -> None:
    """Truths from a prior of the depth exponent one unit higher than the model's."""
    other = priors.replace(stream_depth_exponent=interval("Normal", 1.5, 2.5))
    truths = truths_from_prior(other, observations, (BLOCK,), 40, 1)
    verdicts = summary(calibrated(model, truths, SETTINGS)).parameters.set_index("parameter")["verdict"]
    assert verdicts["stream_depth_exponent"] == "too low"


def test_same_seed_same_numbers_whatever_the_workers_and_the_replicates(model: Refit, found: Calibration) -> None:
    few = calibrate(model, workers=3, replicates=4)
    for name in ("position", "kept", "error"):
        np.testing.assert_array_equal(few.ranked[name].values, found.ranked[name].values[:4])
    assert (
        calibrate(model, replicates=2, random_seed=2).ranked["position"].values[0, 0] != found.ranked["position"][0, 0]
    )


def test_simulated_rows_scatter_as_the_likelihood_says(priors: Priors, observations: Observations) -> None:
    """Standardised, all Student-t rows follow t4 or t5 and all others a normal: Kolmogorov-Smirnov over every table."""
    truths = truths_from_prior(priors, observations, BLOCKS, 60, 3)
    rows = rows_of(truths.p, priors, observations, BLOCKS)
    values = [simulated(rows, i, 3) for i in range(60)]
    for k, row in enumerate(rows):
        standard = (np.array([one[k] for one in values]) - row.mean) / row.spread
        law = stats.norm if row.nu is None else stats.t(row.nu)
        assert stats.kstest(standard.ravel(), law.cdf).pvalue > 1e-3, row.name


def test_simulated_tables_fit_the_graph_row_by_row(priors: Priors, observations: Observations) -> None:
    graph = build_model(priors, observations)
    labels = {name: tuple(graph.coords[f"{name}_row"]) for name in ("scattered", "held")}
    whole = Refit("joint", BLOCKS, priors, observations, None, labels, (), (), np.empty(0))
    truths = truths_from_prior(priors, observations, BLOCKS, 2, 1)
    rows = rows_of(truths.p, priors, observations, BLOCKS)
    data = as_data(whole, rows, simulated(rows, 0, 1))
    assert {name: value.shape for name, value in data.items()} == {
        variable.name: variable.get_value().shape for variable in graph.data_vars if "observed" in variable.name
    }
    with pytest.raises(ForecastError, match="not those of the arrays"):
        as_data(whole, rows[::-1], simulated(rows, 0, 1)[::-1])


def test_truths_follow_the_prior_times_its_restrictions(priors: Priors, observations: Observations) -> None:
    """Accepting draws and weighting draws give the same means of what the caps of today concern."""
    blocks = ("compute",)
    truths = truths_from_prior(priors, observations, blocks, 1000, 1)
    every = truths_from_prior(priors, observations, ("depth_scaling",), 8000, 5).p  # no restriction: the prior itself
    weight = np.exp(log_restrictions(every, observations, blocks))
    weight *= turned_down(every, priors, observations, blocks, np.zeros(8000)) == ""
    assert truths.tried * weight.mean() == pytest.approx(1000, rel=0.1)
    assert sum(truths.rejected.values()) == truths.tried - 1000
    for name in ("log10_training_flop_2024", "log10_world_flop_per_second_2025", "largest_run_share"):
        weighted, accepted = np.average(every[name], weights=weight), truths.p[name]
        assert abs(accepted.mean() - weighted) < 5.0 * accepted.std() / np.sqrt(1000)
        assert abs(weighted - every[name].mean()) > 3.0 * every[name].std() / np.sqrt(8000)  # they do restrict


def test_worlds_that_shrink_are_no_truths_and_are_counted(priors: Priors, observations: Observations) -> None:
    shrinking = priors.replace(world_compute_growth=interval("Normal", -0.4, 0.6))
    truths = truths_from_prior(shrinking, observations, ("compute",), 50, 1)
    assert truths.rejected["no expectation of world_compute"] > 20
    assert (truths.p["world_compute_growth"] > 0.0).all()


def test_a_prior_that_contradicts_its_restrictions_is_refused(priors: Priors, observations: Observations) -> None:
    crossed = priors.replace(log10_fleet_flop_per_second_2025=interval("Normal", 24.9, 25.1))
    with pytest.raises(InputError, match=r"ruled out .restrictions of the model \d+.*look at those of compute"):
        truths_from_prior(crossed, observations, ("compute",), 5, 1)


def test_what_cannot_be_done_is_refused_before_anything_is_computed(observations: Observations) -> None:
    for arguments, words in (
        (("sunspots", 10, 300, 300, 1), "unknown block 'sunspots'"),
        ((BLOCK, 0, 300, 300, 1), "replicates = 0"),
        ((BLOCK, 10, 5, 300, 1), "draws = 5"),
        ((BLOCK, 10, 300, 0, 1), "tune = 0"),
        (((), 10, 300, 300, 1), "choose from"),
    ):
        blocks, *numbers = arguments
        with pytest.raises(InputError, match=words):
            request(blocks, observations, *numbers)


def test_censored_task_horizons_are_refused(observations: Observations) -> None:
    table = observations["time_horizons"]
    bound = table.assign(censored=("row", np.r_[1.0, table["censored"].values[1:]]))
    other = replace(observations, tables=observations.tables | {"time_horizons": bound})
    with pytest.raises(InputError, match="censored rows"):
        request("task_horizon", other, 10, 300, 300, 1)
    assert request("compute", other, 10, 300, 300, 1)[0] == ("compute",)


def test_refits_that_fail_are_counted_not_dropped(model: Refit, monkeypatch: pytest.MonkeyPatch) -> None:
    place = replicates.placed

    def sticky(*arguments: Any) -> Replicate | str:
        return "the chain stood still" if arguments[-2] == 1 else place(*arguments)

    monkeypatch.setattr(replicates, "placed", sticky)
    found = calibrate(model, replicates=4)
    assert found.failed == {1: "the chain stood still"}
    assert found.ranked["replicate"].values.tolist() == [0, 2, 3]
    assert "1 could not be sampled" in trouble_sentence([summary(found)])
    monkeypatch.setattr(replicates, "placed", lambda *_: "the chain stood still")
    with pytest.raises(ForecastError, match="no refit of deployment could be sampled: the chain stood still"):
        calibrate(model, replicates=2)


def test_a_chain_that_does_not_settle_is_drawn_again_twice_as_long(
    model: Refit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicates, "LARGEST_RHAT", 0.5)
    found = calibrate(model, replicates=2)
    assert found.ranked["attempts"].values.tolist() == [3, 3]
    assert found.ranked["kept"].values.max() > 2 * SETTINGS["draws"]
    assert "took a longer chain" in trouble_sentence([summary(found)])


def test_an_error_in_a_thread_ends_the_others() -> None:
    def fails(i: int) -> int:
        if i == 3:
            raise InputError("three")
        return i

    with pytest.raises(InputError, match="three"):
        in_parallel(fails, 50, 2, lambda *_: None)
    assert in_parallel(lambda i: i * i, 5, 3, lambda *_: None) == [0, 1, 4, 9, 16]


def placed_at(places: Any) -> Calibration:
    """A calibration whose truths lie at given positions (replicate, parameter), log likelihood last."""
    array = np.asarray(places, dtype=float)
    rows = {
        i: Replicate(row, np.full(row.size, 100), row * 0.0, row * 0.0, 0, 1.0, 100.0, 1) for i, row in enumerate(array)
    }
    labels = [*"abcdefgh"[: array.shape[1] - 1], LIKELIHOOD]
    return Calibration("it", "posterior", dataset(rows, labels), array.shape[0], {}, {}, {}, 1.0)


def test_shares_of_intervals_are_counted_with_the_dependence_within_a_replicate() -> None:
    """8 of 10 replicates hold both truths: as many as 10 independent cases, not 20."""
    found = placed_at([[0.5, 0.5, 0.5]] * 8 + [[0.01, 0.99, 0.5]] * 2)
    shares = held(found)
    assert shares["held_90"] == pytest.approx(0.8)
    theirs = stats.binomtest(8, 10).proportion_ci(0.9, method="exact")
    assert (shares["held_90_low"], shares["held_90_high"]) == pytest.approx((theirs.low, theirs.high))
    assert independent_cases(np.array([0.5, 0.5]), 2) == 4.0  # no variance: taken as independent
    table = recovery_table(found)
    assert table["parameter"].tolist() == ["a", "b"]
    assert table["held_90"].tolist() == pytest.approx([0.8, 0.8])
    assert table["held_50"].tolist() == pytest.approx([0.8, 0.8])


def test_truths_of_a_recovery_are_draws_of_the_run(prior_run: xr.DataTree) -> None:
    truths = truths_from_posterior(prior_run, 20, 1)
    every = prior_run["posterior"]["training_compute_growth"].values.ravel()
    assert np.isin(truths.p["training_compute_growth"], every).all()
    assert np.unique(truths.p["training_compute_growth"]).size == 20
    with pytest.raises(InputError, match="fewer than 301 replicates"):
        truths_from_posterior(prior_run, 301, 1)


def test_a_run_of_the_prior_has_nothing_to_recover(prior_run: xr.DataTree) -> None:
    with pytest.raises(InputError, match="fitted posterior"):
        recovery(prior_run)


def test_recovery_places_truths_of_a_run(model: Refit, prior_run: xr.DataTree) -> None:
    """The machinery on draws of the prior, where shares are nominal exactly; of a real fit below."""
    truths = truths_from_posterior(prior_run, 40, 1)
    one = summary(calibrated(model, truths, SETTINGS))
    assert one.model["held_90_low"] - 0.02 < 0.9 < one.model["held_90_high"] + 0.02
    assert "simulated near the posterior" in calibration_sentence(one)
    assert model_words([one]).iloc[0]["Not calibrated"] == ""


def test_a_recovery_ranks_the_parameters_of_its_own_blocks() -> None:
    """What a block reads of others is known from their tables, which its refit does not see."""
    entries = (Entry("stream_scatter", "stream_scatter", None), Entry("returns", "returns", None))
    parts = (entries, ((0.0, 1.0), (2.0, 3.0)), np.array([4.0, 5.0]))
    model = Refit("research", ("research",), Priors({}, {}), None, None, {}, *parts)  # type: ignore[arg-type]
    kept = of_own_blocks(model)
    assert [entry.label for entry in kept.entries] == ["returns"]
    assert kept.ends == ((2.0, 3.0),) and kept.spreads.tolist() == [5.0]


def test_models_are_named_by_their_blocks() -> None:
    assert name_of(BLOCKS) == "joint"
    assert name_of(("compute",)) == "compute"
    assert name_of(("compute", "research")) == "compute+research"


@pytest.mark.slow
@pytest.mark.parametrize("block", BLOCKS)
def test_every_block_is_calibrated(priors: Priors, observations: Observations, block: str) -> None:
    """200 replicates; over all blocks a false alarm in one of three times would be chance, hence a stricter level."""
    one = summary(sbc(priors, observations, block))
    assert one.model["p_smallest"] > 0.005, calibration_sentence(one)
    assert one.model["failed"] == 0 and one.model["unsettled"] <= 0.05 * one.model["replicates"]
    assert abs(one.model["held_90"] - 0.9) < 0.03


@pytest.mark.slow
def test_the_joint_model_is_calibrated(priors: Priors, observations: Observations) -> None:
    one = summary(sbc(priors, observations, replicates=60))
    assert one.model["p_smallest"] > 0.005, calibration_sentence(one)


@pytest.mark.slow
@pytest.mark.parametrize("block", ["depth_scaling", "utilization", "compute", "deployment"])
def test_intervals_hold_truths_near_the_posterior(run: xr.DataTree, block: str) -> None:
    """Blocks whose data say most, at the sizes of the shipped tables; where a prior pulls, intervals hold less than 90%."""
    from forecast.observations import load_observations
    from forecast.priors import load_priors
    from forecast.records import explained

    one = summary(recovery(explained(run, load_priors(), load_observations()), block))
    assert 0.83 < one.model["held_90"] < 0.96, calibration_sentence(one)
    assert 0.42 < one.model["held_50"] < 0.62, calibration_sentence(one)


@pytest.mark.slow
def test_simuk_comes_to_the_same_conclusion(priors: Priors, observations: Observations) -> None:
    """Its own truths from the graph, its own simulated data, PyMC's sampler, its own ranks, on the smallest block."""
    number, draws = 60, 200
    block = "algorithmic_progress"
    theirs = simuk.SBC(
        build_model(priors, observations, (block,)),
        num_simulations=number,
        seed=1,
        sample_kwargs={"draws": draws, "tune": 400, "chains": 1, "nuts_sampler": "pymc"},
        transform=lambda name, value: np.abs(value) if name.startswith("HalfNormal") else value,
        progress_bar=False,
    )
    theirs.run_simulations()
    ranks = np.stack([np.ravel(one) for one in theirs.simulations["prior_sbc"].data_vars.values()], axis=1)
    ours = summary(sbc(priors, observations, block, replicates=number))
    jitter = np.random.default_rng(1).random(ranks.shape)
    p_theirs, p_ours = chi_square(counted((ranks + jitter) / (draws + 1))), ours.parameters["p_chi_square"].to_numpy()
    assert ranks.shape == (number, 2)
    assert (p_theirs > 0.005).all() and (p_ours > 0.005).all()


def test_positions_need_no_order_of_draws() -> None:
    """A permutation of independent draws leaves the rank, which is all that enters."""
    rng = np.random.default_rng(0)
    draws = rng.standard_normal((50, 1))
    at, sizes = np.array([0.3]), np.array([50.0])
    first = positions(at, draws, sizes, np.random.default_rng(1))[0]
    again = positions(at, rng.permutation(draws), sizes, np.random.default_rng(1))[0]
    assert first == again
