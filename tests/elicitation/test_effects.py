"""What another prior does to the headline: held to closed forms, to quadrature and to draws made with that prior."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from forecast.drivers.mixture_weights import pareto_k
from forecast.dynamics import takeoff
from forecast.elicitation.effects import (
    Effect,
    effect_on_headline,
    effect_words,
    log_weights,
    weak,
    weighted_estimate,
)
from forecast.elicitation.elicited import elicited
from forecast.errors import InputError
from forecast.fitting import sample_prior
from forecast.headlines import headline
from forecast.observations import Observations
from forecast.overlays import Overlay
from forecast.priors import Priors, interval
from forecast.projection import project
from forecast.research.reweighting import effective_draws, weighted_quantile, weights
from forecast.statements import Prior, fixed, stated
from forecast.views import apply_view

DRAWS = 200_000
NAME = "training_utilization_trend"


def record_of(prior: Prior, name: str = NAME) -> dict[str, dict[str, dict[str, object]]]:
    return {"priors": {name: prior.statement | {"distribution": prior.distribution}}}


def named(prior: Prior, name: str = NAME) -> Prior:
    return replace(prior, name=name)


def conjugate(mean: float, sd: float, seen: float, noise: float) -> tuple[float, float]:
    """Posterior mean and sd of a normal mean with a normal prior after one observation."""
    precision = sd**-2 + noise**-2
    return (mean / sd**2 + seen / noise**2) / precision, precision**-0.5


def test_a_conjugate_normal_comes_out() -> None:
    """One parameter, one observation of 1.0 with noise 0.5: the posteriors under both priors are known."""
    z = stats.norm.ppf(0.95)
    old, new = interval("Normal", -z, z), named(interval("Normal", 1.0 - 0.6 * z, 1.0 + 0.6 * z))
    before, after = conjugate(0.0, 1.0, 1.0, 0.5), conjugate(1.0, 0.6, 1.0, 0.5)
    draws = np.random.default_rng(1).normal(*before, DRAWS)
    log_weight, doubt = log_weights(record_of(old), {NAME: draws}, new, 2026.8)
    weight = weights(log_weight)
    assert doubt == ""
    assert weight @ draws == pytest.approx(after[0], abs=0.003)
    assert np.sqrt(weight @ (draws - after[0]) ** 2) == pytest.approx(after[1], rel=0.01)
    levels = [0.05, 0.5, 0.95]
    assert weighted_quantile(draws, weight, levels) == pytest.approx(stats.norm(*after).ppf(levels), abs=0.01)


def test_the_effective_draws_are_what_two_normals_make_them() -> None:
    """n over 1 + variance of the weights: for N(0, 1) seen as N(d, 1) it is n exp(-d^2)."""
    z = stats.norm.ppf(0.95)
    draws = np.random.default_rng(2).normal(0.0, 1.0, DRAWS)
    for shift in (0.3, 0.7, 1.0):
        new = named(interval("Normal", shift - z, shift + z))
        log_weight, _ = log_weights(record_of(interval("Normal", -z, z)), {NAME: draws}, new, 2026.8)
        assert effective_draws(weights(log_weight)) / DRAWS == pytest.approx(np.exp(-(shift**2)), rel=0.05)


def test_a_posterior_without_a_closed_form_agrees_with_quadrature() -> None:
    """A uniform prior on 8 to 24, a skewed likelihood, and a log-normal prior instead, cut to the same range."""
    name = "log10_software_ceiling"
    old = fixed_range(8.0, 24.0)
    new = Prior(name, "", "LogNormal", {"mu": np.log(14.0), "sigma": 0.2}, bounds=(8.0, 24.0))
    grid = np.linspace(8.0, 24.0, 200_001)
    likelihood = np.exp(-((grid - 12.0) ** 2) / (0.5 * grid))
    cdf = np.cumsum(likelihood) / likelihood.sum()
    draws = np.interp((np.arange(DRAWS) + 0.5) / DRAWS, cdf, grid)
    log_weight, doubt = log_weights(record_of(old, name), {name: draws}, new, 2026.8)
    exact = np.cumsum(likelihood * stats.lognorm(0.2, scale=14.0).pdf(grid))
    levels = [0.05, 0.5, 0.95]
    expected = np.interp(levels, exact / exact[-1], grid)
    assert doubt == ""
    assert weighted_quantile(draws, weights(log_weight), levels) == pytest.approx(expected, abs=0.002)


def fixed_range(low: float, high: float) -> Prior:
    return Prior("", "", "Uniform", {}, statement={"params": {"lower": low, "upper": high}})


@pytest.fixture(scope="module")
def many(priors: Priors, observations: Observations) -> xr.DataTree:
    """4000 draws of the prior: its own draws under another prior are there to be made."""
    return sample_prior(priors, observations, draws=1000, chains=4, random_seed=3)


@pytest.fixture(scope="module")
def narrow() -> Prior:
    return elicited("automation_gap", {0.05: 2.0, 0.95: 6.0})


@pytest.fixture(scope="module")
def effect(many: xr.DataTree, narrow: Prior) -> Effect:
    return effect_on_headline(many, narrow)


def test_reweighted_draws_of_the_prior_are_draws_of_the_other_prior(
    effect: Effect, narrow: Prior, priors: Priors, observations: Observations
) -> None:
    """An independent route: the prior set with that prior, drawn anew."""
    drawn = sample_prior(priors.replace(automation_gap=narrow), observations, draws=1000, chains=4, random_seed=4)
    again = headline(project(drawn, years=[2027, 2045]), takeoff(drawn, "baseline"))
    assert effect.doubt == ""
    assert effect.prior.not_automated == pytest.approx(again.not_automated, abs=0.03)
    assert effect.prior.already_20 == pytest.approx(again.already_20, abs=0.04)
    assert np.log10(effect.prior.streams.median) == pytest.approx(np.log10(again.streams.median), abs=0.25)
    assert effect.prior.takeoff_years.low == pytest.approx(again.takeoff_years.low, rel=0.15)


def test_before_any_table_both_readings_agree(effect: Effect) -> None:
    """Draws of the prior are independent: nothing follows, and a prior and a view are one thing."""
    assert effect.view.not_automated == pytest.approx(effect.prior.not_automated, abs=0.02)
    assert effect.view.already_20 == pytest.approx(effect.prior.already_20, abs=0.03)


def test_the_headline_of_the_run_is_the_one_of_the_main_job(many: xr.DataTree, effect: Effect) -> None:
    expected = headline(project(many, years=[2027, 2045]), takeoff(many, "baseline"))
    for name in ("streams", "human_equivalents", "takeoff_years", "year_100"):
        ours, theirs = getattr(effect.run, name), getattr(expected, name)
        assert (ours.low, ours.median, ours.high) == pytest.approx((theirs.low, theirs.median, theirs.high)), name
    for name in ("not_automated", "within_1_year", "already_20"):
        assert getattr(effect.run, name) == pytest.approx(getattr(expected, name)), name


def test_the_view_reading_is_what_a_view_does(prior_run: xr.DataTree, narrow: Prior) -> None:
    seen = apply_view(prior_run, Overlay("mine", "A test.", {"automation_gap": narrow}, {}, {}))
    expected = headline(project(seen, years=[2027, 2045]), takeoff(seen, "baseline"))
    found = effect_on_headline(prior_run, narrow).view
    assert found.streams.median == pytest.approx(expected.streams.median)
    assert found.not_automated == pytest.approx(expected.not_automated)


def test_the_same_prior_changes_nothing(prior_run: xr.DataTree, priors: Priors) -> None:
    found = effect_on_headline(prior_run, priors["returns"])
    assert found.effective_draws == pytest.approx(found.draws)
    assert found.prior.streams.median == pytest.approx(found.run.streams.median)
    assert "equal ones" not in found.doubt or "300" in found.doubt  # 300 draws are few for anything


@pytest.mark.parametrize(
    ("prior", "said"),
    [
        (elicited("log10_software_ceiling", {0.05: 10.0, 0.95: 30.0}), "beyond the old one's range, 8 to 24"),
        (elicited("text_epochs", {0.05: 2.0, 0.95: 8.0}), "holds text_epochs fixed at 4"),
        (replace(fixed(1.0), name="returns"), "a fixed value has no density"),
        (elicited("automation_gap", {0.05: 30.0, 0.95: 60.0}), "are worth 1 equal ones, and 400 are needed"),
        (replace(interval("Normal", 1.0, 2.0), name="substitution_elasticity"), "states other parameters instead"),
    ],
)
def test_what_the_draws_cannot_tell_is_said_and_a_fit_asked_for(
    prior_run: xr.DataTree, prior: Prior, said: str
) -> None:
    record, p = {"priors": {}}, {}
    if prior.name == "substitution_elasticity":
        assert said in log_weights(record, p, prior, 2026.8)[1]
        return
    found = effect_on_headline(prior_run, prior)
    words = effect_words(found, "my views.toml")
    assert said in found.doubt
    assert "forecast run --view 'my views.toml' -o 'my views-out'" in words
    assert "this prior  " not in words
    assert not found.to_frame().query("reading == 'prior'")["trusted"].any()


def test_heavy_tails_of_the_weights_are_doubted() -> None:
    """Exponential draws seen from one with a quarter of their rate: the weights are Pareto with index 3/4."""
    draws = np.random.default_rng(5).exponential(1.0, DRAWS)
    old, new = (stated("Exponential", {"params": {"lam": rate}}) for rate in (1.0, 0.25))
    log_weight, _ = log_weights(record_of(old), {NAME: draws}, named(new), 2026.8)
    assert pareto_k(log_weight) == pytest.approx(0.75, abs=0.15)  # three standard errors of 1300 draws in the tail
    assert "a few draws carry the weight" in weak(5000.0, 0.75)
    assert weak(5000.0, 0.65) == ""


def test_a_further_question_leaves_the_headlines_alone(prior_run: xr.DataTree) -> None:
    found = effect_on_headline(prior_run, elicited("idea_time_share", {0.05: 0.2, 0.95: 0.5}))
    assert found.run == found.prior == found.view
    assert "do not depend on idea_time_share" in effect_words(found)


def test_the_table_has_every_reading_of_every_quantity(effect: Effect) -> None:
    table = effect.to_frame()
    assert table.groupby("reading", sort=False).size().tolist() == [7, 7, 7]
    assert table["trusted"].all()
    row = table.set_index(["quantity", "reading"]).loc[("streams", "prior")]
    assert (row["low"], row["high"]) == (effect.prior.streams.low, effect.prior.streams.high)
    said = effect_words(effect)
    assert "this run has seen no tables" in said and "this prior" in said


def test_draws_that_do_not_exist_are_left_out() -> None:
    """Of a number of AIs that is never reached there is no quantile; of a time it is the largest."""
    weight = np.full(4, 0.25)
    assert weighted_estimate(np.array([1.0, 2.0, 3.0, -np.inf]), weight, 0.9).median == 2.0
    assert weighted_estimate(np.array([1.0, 2.0, np.inf, np.inf]), weight, 0.9).high == np.inf
    assert np.isnan(weighted_estimate(np.full(4, -np.inf), weight, 0.9).median)


@pytest.mark.parametrize(
    ("prior", "said"),
    [
        (interval("Normal", 0.0, 1.0), "without a name"),
        (Prior("loss_shares", "", "Dirichlet", {"a": [1.0, 1.0, 1.0]}), "has several entries"),
    ],
)
def test_a_prior_that_cannot_be_asked_about_is_refused(prior_run: xr.DataTree, prior: Prior, said: str) -> None:
    with pytest.raises(InputError, match=said):
        effect_on_headline(prior_run, prior)


def test_a_run_seen_through_a_view_is_refused(prior_run: xr.DataTree, narrow: Prior) -> None:
    with pytest.raises(InputError, match="seen through davidson2023"):
        effect_on_headline(apply_view(prior_run, "davidson2023"), narrow)
