"""A prior from a few quantiles, what it implies, and its overlay file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from forecast.elicitation.elicited import candidates, elicited, parameter_range, replaceable, shipped_as_of
from forecast.elicitation.saving import overlay_text, save_overlay
from forecast.elicitation.tables import bin_edges, histogram, histogram_text, implied
from forecast.errors import InputError
from forecast.priors import load_priors, read_overlay
from forecast.runs import parameters_of
from forecast.statements import Prior

ENDS = st.tuples(st.floats(0.01, 0.4), st.floats(0.45, 0.98))
REAL = "training_utilization_trend"  # Normal
POSITIVE = "returns"  # LogNormal
SHARE = "compute_share"  # LogitNormal


def quantiles_of(prior: Prior, *levels: float) -> list[float]:
    return np.asarray(prior.quantile(levels, shipped_as_of())).tolist()


@given(ends=ENDS)
@settings(max_examples=3)
@pytest.mark.parametrize("name", [REAL, POSITIVE, SHARE, "log10_software_ceiling"])
def test_two_numbers_are_met_exactly_by_every_family_on_offer(name: str, ends: tuple[float, float]) -> None:
    low, high = ends
    for family in candidates(name, {0.05: low, 0.95: high})["family"]:
        prior = elicited(name, {0.05: low, 0.95: high}, family)
        assert quantiles_of(prior, 0.05, 0.95) == pytest.approx([low, high], rel=1e-6, abs=1e-7), family


def test_a_cut_that_leaves_no_room_for_the_numbers_gives_way() -> None:
    """No normal cut to (0, 0.6) has 1.2% and 50% there; the upper end is a belief."""
    prior = elicited("depth_exponent", {0.05: 0.0117, 0.95: 0.5})
    assert prior.statement == {"interval": [0.0117, 0.5], "mass": 0.9, "lower": 0.0}
    assert quantiles_of(prior, 0.05, 0.95) == pytest.approx([0.0117, 0.5], rel=1e-6)


def test_an_interval_that_is_not_equal_tailed_is_stated_by_its_quantiles() -> None:
    prior = elicited(POSITIVE, {0.1: 0.5, 0.5: 1.0})
    assert prior.statement == {"quantiles": {"0.1": 0.5, "0.5": 1.0}}
    assert quantiles_of(prior, 0.1, 0.5) == pytest.approx([0.5, 1.0])


@pytest.mark.parametrize(
    ("name", "truth", "family"),
    [
        (POSITIVE, stats.lognorm(0.5, scale=2.0), "LogNormal"),
        (POSITIVE, stats.gamma(2.5, scale=1.0), "Gamma"),
        (SHARE, stats.beta(6.0, 2.0), "Beta"),
        (POSITIVE, stats.truncnorm(-1.5, np.inf, 1.5, 1.0), "TruncatedNormal"),
    ],
)
def test_three_numbers_of_a_family_are_met_by_it(name: str, truth: stats.rv_continuous, family: str) -> None:
    asked = {q: float(truth.ppf(q)) for q in (0.05, 0.5, 0.95)}
    prior = elicited(name, asked, family)
    assert quantiles_of(prior, 0.05, 0.5, 0.95) == pytest.approx(list(asked.values()), rel=1e-5)
    assert quantiles_of(prior, 0.25) == pytest.approx([truth.ppf(0.25)], rel=1e-4)


def test_the_interval_rules_and_the_median_chooses_the_family() -> None:
    """A median in the middle of the interval is no LogNormal's; the present family yields to one that has it."""
    asked = {0.05: 1.0, 0.5: 10.0, 0.95: 19.0}
    prior = elicited(POSITIVE, asked)
    assert prior.distribution == "TruncatedNormal"
    assert quantiles_of(prior, 0.05, 0.95) == pytest.approx([1.0, 19.0])
    assert elicited(POSITIVE, {0.05: 1.0, 0.5: 4.4, 0.95: 19.0}).distribution == "LogNormal"


def test_a_median_that_no_family_has_leaves_the_interval_as_it_is() -> None:
    prior = elicited(POSITIVE, {0.05: 0.1, 0.5: 0.12, 0.95: 9.0}, "LogNormal")
    assert prior.statement == {"interval": [0.1, 9.0], "mass": 0.9}
    table = candidates(POSITIVE, {0.05: 0.1, 0.5: 0.12, 0.95: 9.0}).set_index("family")
    lognormal = stats.norm(np.log(0.9**0.5), np.log(90.0) / 2 / stats.norm.ppf(0.95))  # of the logarithm
    assert table.loc["LogNormal", "miss"] == pytest.approx(0.5 - lognormal.cdf(np.log(0.12)))


def test_bounds_that_are_beliefs_give_way_and_ranges_do_not() -> None:
    depth, ceiling = replaceable("depth_exponent"), replaceable("log10_software_ceiling")
    assert parameter_range(depth, {0.05: 0.1, 0.95: 0.5}) == (0.0, 0.6)
    assert parameter_range(depth, {0.05: 0.1, 0.95: 0.9}) == (0.0, None)
    assert parameter_range(ceiling, {0.05: 6.0, 0.95: 39.0}) == (0.0, None)
    multiple = elicited("infinite_labour_multiple", {0.05: 3.0, 0.95: 30.0})
    assert multiple.bounds == (1.1, None)
    with pytest.raises(InputError, match="lies outside the support"):
        elicited("depth_exponent", {0.05: -0.1, 0.95: 0.5})


def test_the_date_stays_a_word() -> None:
    """Not yet slowed at the data's date: at whatever date the model is fitted."""
    prior = elicited("slowdown_year", {0.05: 2027.5, 0.95: 2030.5})
    assert prior.params["lower"] == "as_of"
    assert quantiles_of(prior, 0.05, 0.95) == pytest.approx([2027.5, 2030.5])


def test_one_number_states_a_scale() -> None:
    prior = elicited("depth_scatter", {0.95: 0.4})
    assert (prior.distribution, prior.statement) == ("HalfNormal", {"upper": 0.4, "mass": 0.95})
    assert quantiles_of(prior, 0.95) == pytest.approx([0.4])


@pytest.mark.parametrize(
    ("name", "asked", "family", "said"),
    [
        ("retruns", {0.05: 1.0, 0.95: 2.0}, None, "did you mean 'returns'"),
        ("loss_shares", {0.05: 0.1, 0.95: 0.2}, None, "has several entries"),
        ("depth_family_variate", {0.05: 0.1, 0.95: 0.2}, None, "has several entries"),
        (POSITIVE, {}, None, "give at least two"),
        (POSITIVE, {0.5: 1.0}, None, "no family holds these quantiles"),
        (POSITIVE, {0.05: 2.0, 0.95: 1.0}, None, "do not rise with the probability"),
        (POSITIVE, {5: 1.0, 95: 2.0}, None, "write 0.05 for 5%"),
        (POSITIVE, {0.05: 1.0, 0.95: np.inf}, None, "is not a finite number"),
        (POSITIVE, {0.05: 1.0, 0.95: 2.0}, "Norml", "did you mean 'Normal'"),
        (POSITIVE, {0.05: 1.0, 0.95: 2.0}, "StudentT", "needs degrees of freedom"),
        (POSITIVE, {0.05: -1.0, 0.95: 2.0}, None, "outside the support"),
        ("infinite_labour_multiple", {0.05: 0.5, 0.95: 20.0}, "Uniform", "an asymptote is a multiple above 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(name: str, asked: dict[float, float], family: str | None, said: str) -> None:
    with pytest.raises(InputError, match=said):
        elicited(name, asked, family)


def test_every_parameter_with_single_numbers_takes_its_own_quantiles_back() -> None:
    as_of, priors = shipped_as_of(), load_priors()
    for name in (
        "depth_scatter",
        "production_offset",
        "text_stock_tokens",
        "tokens_per_researcher_year",
        "experiment_days",
    ):
        old = priors[name]
        low, high = quantiles_of(old, 0.05, 0.95) if old.distribution != "fixed" else (1.0, 3.0)
        new = elicited(name, {0.05: low, 0.95: high})
        assert (new.name, new.block, new.units) == (name, old.block, old.units)
        assert np.asarray(new.quantile([0.05, 0.95], as_of)) == pytest.approx([low, high])


def test_the_tables_show_the_new_prior_the_old_one_and_the_posterior(prior_run: xr.DataTree) -> None:
    """The quantiles of a log-normal in closed form; draws of a run of the prior are no posterior."""
    new = elicited(POSITIVE, {0.05: 0.5, 0.95: 2.0})
    z = np.log(2.0) / stats.norm.ppf(0.95)
    table = implied(new, levels=(0.05, 0.25, 0.5, 0.95))
    assert table["new"].tolist() == pytest.approx(np.exp(z * stats.norm.ppf([0.05, 0.25, 0.5, 0.95])).tolist())
    assert table["old"].tolist()[::3] == pytest.approx([0.4, 2.5])
    assert "posterior" not in implied(new, prior_run)
    fitted = prior_run.copy()
    fitted.attrs = {"forecast": prior_run.attrs["forecast"].replace('"kind": "prior"', '"kind": "posterior"')}
    draws = parameters_of(prior_run)[POSITIVE]
    assert implied(new, fitted)["posterior"].tolist()[3] == pytest.approx(np.median(draws))
    shares = histogram(new, fitted)
    assert shares["posterior"].sum() == pytest.approx(
        ((draws >= shares["low"].min()) & (draws <= shares["high"].max())).mean()
    )


def test_bins_hold_the_probability_between_their_ends() -> None:
    new = elicited(REAL, {0.05: -1.0, 0.95: 1.0}, "Normal")
    shares = histogram(new)
    normal = stats.norm(0.0, 1.0 / stats.norm.ppf(0.95))
    assert shares["new"].to_numpy() == pytest.approx(normal.cdf(shares["high"]) - normal.cdf(shares["low"]))
    assert np.ptp(np.log(bin_edges(1.0, 1e6)[1:] / bin_edges(1.0, 1e6)[:-1])) < 1e-9
    assert np.ptp(np.diff(bin_edges(-1.0, 1e6))) < 1e-6


def test_a_fixed_parameter_is_one_bar() -> None:
    shares = histogram(elicited("taste_ceiling", {0.05: 5.0, 0.95: 60.0}))
    assert sorted(shares["old"])[-2:] == [0.0, 1.0]
    assert len(histogram_text(shares).splitlines()) == 1 + len(shares)


@pytest.mark.parametrize("rationale", ['Says "so".\nTwice. \\ \x7f é \U0001f600', "x" * 5000, "'''", "# no comment"])
def test_an_overlay_says_what_was_meant_whatever_the_words(rationale: str, tmp_path: Path) -> None:
    prior = elicited(POSITIVE, {0.05: 0.5, 0.95: 2.0})
    file = save_overlay(prior, tmp_path / "mine.toml", rationale)
    read = read_overlay(file).entries[POSITIVE]
    assert (read.params, read.rationale, read.source) == (prior.params, rationale.strip(), ("judgement",))


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        (SHARE, {0.05: 0.5, 0.5: 0.6, 0.95: 0.7}),
        ("infinite_labour_multiple", {0.05: 3.0, 0.95: 30.0}),
        ("slowdown_year", {0.05: 2027.5, 0.95: 2030.5}),
        ("production_offset", {0.05: -1.0, 0.95: 1.0}),
        ("depth_scatter", {0.95: 0.4}),
        ("text_stock_tokens", {0.05: 1e14, 0.95: 2e15}),
    ],
)
def test_every_statement_is_read_back_as_it_was(name: str, asked: dict[float, float], tmp_path: Path) -> None:
    prior = elicited(name, asked)
    read = read_overlay(save_overlay(prior, tmp_path / "mine.toml", "A test.")).entries[name]
    assert (read.distribution, read.params, read.bounds) == (prior.distribution, prior.params, prior.bounds)


def test_a_second_parameter_is_added_and_a_stated_one_is_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    save_overlay(elicited(POSITIVE, {0.05: 0.5, 0.95: 2.0}), file, "First.")
    save_overlay(elicited(SHARE, {0.05: 0.5, 0.95: 0.7}), file, "Second.")
    assert set(read_overlay(file).entries) == {POSITIVE, SHARE}
    before = file.read_bytes()
    with pytest.raises(InputError, match="states returns already"):
        save_overlay(elicited(POSITIVE, {0.05: 0.6, 0.95: 2.0}), file, "Third.")
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("file", "rationale", "said"),
    [
        ("mine.txt", "Why.", "ends in .toml"),
        ("mine.toml", "  ", "needs its reason"),
        ("broken.toml", "Why.", "broken.toml"),
    ],
)
def test_nothing_is_written_where_something_is_wrong(file: str, rationale: str, said: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("[overlay", encoding="utf-8")
    with pytest.raises(InputError, match=said):
        save_overlay(elicited(POSITIVE, {0.05: 0.5, 0.95: 2.0}), tmp_path / file, rationale)
    assert list(tmp_path.iterdir()) == [broken]
    assert broken.read_text(encoding="utf-8") == "[overlay"


def test_a_nameless_prior_has_no_file() -> None:
    with pytest.raises(InputError, match="without a name"):
        overlay_text(Prior("", "", "fixed", {"value": 1.0}), "Why.")
