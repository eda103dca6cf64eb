"""``--set NAME=VALUE``: what is read, what is refused, and that it is the same as the file that says so."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from forecast.assignments import assigned, with_assigned
from forecast.errors import InputError
from forecast.overlays import Overlay
from forecast.prior_files import SCHEMA
from forecast.priors import load_priors, read_overlay
from forecast.runs import parameters_of, read_provenance
from forecast.statements import Prior, fixed, interval
from forecast.views import apply_view, distance

VIEW = """
[overlay]
description = "The same in a file."

[priors.depth_exponent]
distribution = "Normal"
interval = [0.1, 0.3]
units = "1"
source = ["judgement"]
rationale = "A test."

[priors.training_days]
value = 90.0
units = "days"
source = ["judgement"]
rationale = "A test."
"""
BOTH = ("depth_exponent=Normal(0.1..0.3)", "training_days=90d")


def only(text: str) -> Prior:
    """The one prior that a text states."""
    (prior,) = assigned(text).entries.values()
    return prior


# what a number is


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("depth_exponent=0.15", 0.15),
        (" depth_exponent = 1.5e-1 ", 0.15),
        ("training_days=90d", 90.0),
        ("training_days=0.25y", 365.25 / 4.0),
        ("training_days=90", 90.0),
        ("compute_share=70%", 0.7),
        ("software_doubling_months=0.5y", 6.0),
        ("leap_finance_usd=$1tn", 1e12),
        ("slowdown_year=2029.5", 2029.5),
        ("text_epochs=2", 2.0),
        ("log10_training_flop_2024=25.7", 25.7),
        ("log10_training_flop_2024=5e25FLOP", math.log10(5e25)),
        ("log10_fleet_flop_per_second_2025=1e21FLOP/s", 21.0),
        ("log10_tokens_per_datapoint=0", 0.0),
        ("required_horizon_minutes=1 month", 167 * 60.0),  # Kwa et al. 2025: a month of work
        ("code_latency_hours=1 day", 24.0),  # and of waiting
        ("form_weight_ai2027=0", 0.0),
    ],
)
def test_a_number_fixes_a_parameter_in_its_own_unit(text: str, value: float) -> None:
    prior = only(text)
    assert prior.distribution == "fixed"
    assert prior.params["value"] == pytest.approx(value, rel=1e-12)
    assert prior.units == SCHEMA[prior.name].units


# what an interval is


def test_an_interval_holds_90_percent_between_equal_tails() -> None:
    prior = only("depth_exponent=Normal(0.1..0.3)")
    assert prior.params["mu"] == pytest.approx(0.2)
    assert prior.params["sigma"] == pytest.approx(0.1 / 1.6448536269514722)


def test_another_mass_is_stated_beside_it() -> None:
    prior = only("returns=LogNormal(0.5..2, mass=50%)")
    assert stats.lognorm(prior.params["sigma"], scale=math.exp(prior.params["mu"])).cdf(2.0) == pytest.approx(0.75)


def test_the_ends_may_have_units_and_a_log10_takes_them_as_orders_of_magnitude() -> None:
    days, flop = only("training_days=LogNormal(2mo..1y)"), only("log10_training_flop_2024=Normal(1e25FLOP..1e26FLOP)")
    assert days.quantile([0.05, 0.95]) == pytest.approx([365.25 / 6.0, 365.25])
    assert flop.params["mu"] == pytest.approx(25.5)
    assert flop.quantile(0.95) == pytest.approx(26.0)


def test_one_free_parameter_takes_the_upper_end_alone() -> None:
    """P(|z| sigma < 2) = 0.9 at sigma = 2 / 1.6449."""
    assert only("log10_tokens_per_datapoint=HalfNormal(..2)").params["sigma"] == pytest.approx(2.0 / 1.6448536269514722)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("depth_exponent=TruncatedNormal(0.1..0.3, lower=0, upper=1)", 0.1, 0.3),
        ("depth_exponent=StudentT(0.1..0.3, nu=4)", 0.1, 0.3),
        ("compute_share=Beta(0.5..0.8)", 0.5, 0.8),
        ("compute_share=LogitNormal(0.5..0.8)", 0.5, 0.8),
        ("returns=LogUniform(0.5..2)", 0.5, 2.0),
        ("returns=Gamma(0.5..2)", 0.5, 2.0),
    ],
)
def test_every_family_with_an_interval_meets_it(text: str, low: float, high: float) -> None:
    assert only(text).quantile([0.05, 0.95]) == pytest.approx([low, high], rel=1e-6)


def test_a_family_may_be_given_by_its_parameters() -> None:
    assert only("returns=LogNormal(mu=0, sigma=0.5)").params == {"mu": 0.0, "sigma": 0.5}
    assert only("kwa_labour_share=Triangular(lower=0.1, c=0.2, upper=0.3)").quantile(0.5) == pytest.approx(0.2)
    cut = only("returns=Normal(mu=1, sigma=1, lower=0)")
    assert cut.bounds == (0.0, None)


# it is the same as a file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "same.toml"
    path.write_text(VIEW, encoding="utf-8")
    return path


def test_it_makes_the_prior_set_that_a_file_makes(file: Path) -> None:
    stated, written = load_priors(overlays=[assigned(BOTH)]), load_priors(overlays=[file])
    assert stated.digest == written.digest != load_priors().digest
    assert (
        stated.digest == load_priors().replace(depth_exponent=interval("Normal", 0.1, 0.3), training_days=90.0).digest
    )


def test_it_makes_the_draws_that_a_file_makes(prior_run: xr.DataTree, file: Path) -> None:
    stated, written = (parameters_of(apply_view(prior_run, one)) for one in (assigned(BOTH), file))
    assert np.all(stated["training_days"] == 90.0)
    for name, values in written.items():
        np.testing.assert_array_equal(stated[name], values)
    assert distance(prior_run, assigned(BOTH)) == distance(prior_run, file)


def test_the_last_word_rules() -> None:
    own = assigned("returns=1")
    assert load_priors(overlays=["davidson2023", own])["returns"].params == {"value": 1.0}
    assert load_priors(overlays=[own, "davidson2023"])["returns"].distribution != "fixed"


def test_the_record_says_what_was_set(prior_run: xr.DataTree) -> None:
    priors = load_priors(overlays=with_assigned(["davidson2023"], BOTH))
    assert priors.overlays[-1] == f"Set on the command line: {BOTH[0]}; {BOTH[1]}."
    assert (priors["training_days"].source, priors["training_days"].rationale) == (
        ("judgement",),
        "set on the command line",
    )
    seen = apply_view(prior_run, *with_assigned(["davidson2023"], ["training_days=90d"]))
    assert read_provenance(seen)["views"] == ["davidson2023", "set training_days=90d"]


def test_without_a_text_nothing_is_added() -> None:
    assert with_assigned(["davidson2023"], []) == ["davidson2023"]


def test_research_production_may_be_set_either_way() -> None:
    priors = load_priors(overlays=assigned("substitution_elasticity=0.6"))
    assert "infinite_labour_multiple" not in priors
    back = load_priors(overlays=[assigned("substitution_elasticity=0.6"), assigned("infinite_labour_multiple=20")])
    assert back["infinite_labour_multiple"].params == {"value": 20.0}
    assert "substitution_elasticity" not in back


def test_an_overlay_made_in_python_is_checked_like_a_file() -> None:
    with pytest.raises(InputError, match="depth_exponnt: replaces nothing; did you mean 'depth_exponent'"):
        read_overlay(Overlay("mine", "", {"depth_exponnt": fixed(0.2)}, {}, {}))
    found = read_overlay(Overlay("mine", "", {"depth_exponent": fixed(0.2)}, {}, {})).entries["depth_exponent"]
    assert (found.name, found.block, found.units) == ("depth_exponent", "depth_scaling", "1")


# what is refused


FAULTS = {
    "depth_exponent": "is no NAME=VALUE",
    "=3": "is no NAME=VALUE",
    "depth_exponent=": "is no NAME=VALUE",
    "depth_exponnt=0.2": "no parameter named 'depth_exponnt'; did you mean 'depth_exponent'?",
    "xyz=1": "no parameter named 'xyz': forecast priors show lists them",
    "depth_exponent=abc": "'abc' is not a number",
    "depth_exponent=nan": "'nan' is not a number",
    "depth_exponent=1 month": "a time",
    "training_days=1e25FLOP": "an amount of compute, but a time is wanted",
    "returns=LogNormal(2..0.5)": "write the smaller number first",
    "returns=LogNormal(0.5..0.5)": "write the smaller number first",
    "returns=LogNormal(0.5..)": "write LogNormal(0.1..0.3), its 90% interval",
    "returns=LogNormal()": "neither LOW..HIGH nor KEY=VALUE",
    "returns=LogNormal(0.5..2, 1..2)": "has two intervals",
    "returns=LogNormal(0.5..2, mass=0.5, mass=0.6)": "gives mass twice",
    "returns=LogNormal(0.5..2, sigma=1)": "takes no 'sigma' here",
    "returns=LogNormal(0.5..2, mass=2)": "is not between 0 and 1",
    "returns=Lognormal(0.5..2)": "did you mean 'LogNormal'?",
    "returns=HalfNormal(1..2)": "one free parameter, write HalfNormal(..0.3), the quantile at 90%",
    "depth_exponent=TruncatedNormal(0.1..0.3)": "states its bounds: add lower, upper or both",
    "depth_exponent=StudentT(0.1..0.3)": "states nu",
    "returns=Triangular(0.1..0.3)": "give its parameters, Triangular(lower=, c=, upper=)",
    "returns=-1": "cannot be fixed at -1: its values lie in (0, inf)",
    "compute_share=1.5": "its values lie in (0, 1)",
    "text_epochs=-4": "cannot be fixed at -4",
    "returns=Normal(0.5..2)": "reaches there: add lower=0, or take LogNormal",
    "compute_share=LogNormal(0.5..0.8)": "is not above 1, and LogNormal reaches there: add upper=1, or take LogitNormal",
    "infinite_labour_multiple=0.5": "an asymptote is a multiple above 1",
    "horizon_doublings_per_oom=0": "task horizons grow with effective compute",
    "loss_shares=0.5": "loss_shares has several entries: state them as [priors.loss_shares] in a file",
    "log10_training_flop_2024=5e25": "too large for a log10",
    "log10_training_flop_2024=400": "too large for log10_training_flop_2024, a log10: write 25.7 for 5e25 FLOP",
    "depth_exponent=15": "is more than 20 times the width of its shipped 90% interval",
    "slowdown_year=28": "is more than 20 times the width",
    "depth_exponent=__import__('os').system('touch evaluated')": "is not a number",
    "depth_exponent=Normal(1e308..2e308)": "depth_exponent",
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault_is_one_line_that_names_its_text(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        assigned(["taste_slope=0.3", text])
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"--set {text!r}: ")
    assert FAULTS[text] in line
    assert not list(tmp_path.iterdir())


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        assigned(["depth_exponnt=0.2", "returns=1", "returns=2", "compute_share=2"])
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        "--set 'depth_exponnt=0.2'",
        "--set 'returns=2'",
        "--set 'compute_share=2'",
    ]
    assert "sets returns a second time: give it once" in lines[1]


def test_two_ways_to_state_one_thing_exclude_each_other() -> None:
    with pytest.raises(InputError, match="cannot stand beside infinite_labour_multiple"):
        assigned(["substitution_elasticity=0.6", "infinite_labour_multiple=20"])


def test_nothing_to_set_is_said() -> None:
    with pytest.raises(InputError, match="nothing is set: write NAME=VALUE"):
        assigned([])


# whatever is typed


def fault_of(text: str) -> str:
    """What is said of a text; empty where it states a prior."""
    try:
        assigned(text)
    except InputError as fault:
        return str(fault)
    return ""


def states_or_says_why(text: str) -> None:
    """A prior that can be drawn from, or one line that names the text; never anything else."""
    said = fault_of(text)
    if said:
        assert said.startswith(f"--set {text!r}: ")
        assert len(said.splitlines()) == 1
    else:
        assert np.all(np.isfinite(np.asarray(only(text).quantile([0.05, 0.5, 0.95], 2026.8))))


NAMES = st.sampled_from(sorted(SCHEMA))
PIECES = st.sampled_from(
    [
        "0.1..0.3",
        "..2",
        "1..",
        "0.3..0.1",
        "mass=0.5",
        "lower=0",
        "upper=1",
        "nu=3",
        "mu=1",
        "sigma=2",
        "c=1",
        "",
        "x",
        "=",
    ]
)
FAMILIES = st.sampled_from(
    [
        "Normal",
        "LogNormal",
        "LogitNormal",
        "Beta",
        "Gamma",
        "HalfNormal",
        "Exponential",
        "Triangular",
        "Uniform",
        "Dirichlet",
    ]
)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    states_or_says_why(text)


@given(NAMES, st.text(max_size=20))
def test_any_value_of_a_parameter_is_read_or_refused(name: str, value: str) -> None:
    states_or_says_why(f"{name}={value}")


@given(NAMES, FAMILIES, st.lists(PIECES, max_size=4))
def test_any_family_is_read_or_refused(name: str, family: str, pieces: list[str]) -> None:
    states_or_says_why(f"{name}={family}({', '.join(pieces)})")


@given(NAMES, st.floats(), st.floats())
def test_any_numbers_are_read_or_refused(name: str, low: float, high: float) -> None:
    states_or_says_why(f"{name}={low}")
    states_or_says_why(f"{name}=LogNormal({low}..{high})")


@given(st.floats(0.01, 3.0))
def test_a_number_comes_back_as_it_was_written(value: float) -> None:
    assert only(f"depth_exponent={value!r}").params == {"value": value}


@given(st.floats(1e-3, 1e3), st.floats(1.01, 1e3), st.floats(0.05, 0.99))
def test_an_interval_comes_back_as_it_was_written(low: float, ratio: float, mass: float) -> None:
    prior = only(f"returns=LogNormal({low!r}..{low * ratio!r}, mass={mass!r})")
    assert prior.quantile([(1 - mass) / 2, (1 + mass) / 2]) == pytest.approx([low, low * ratio], rel=1e-9)
    assert prior.statement == {"interval": [low, low * ratio], "mass": mass}
