"""Families of priors: PyMC's own densities, closed forms and the quantiles that were asked for."""

from __future__ import annotations

import math

import numpy as np
import pymc as pm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.distributions import LogitNormal, Truncated
from forecast.errors import InputError
from forecast.families import FAMILIES, StatementFault, solve, suggestion
from forecast.statements import fixed, interval, stated

Z95 = 1.6448536269514722  # 95% quantile of the standard normal
Z90 = 1.2815515655446004

MEMBERS = {
    "Normal": ({"mu": 0.3, "sigma": 2.0}, 1.1),
    "LogNormal": ({"mu": 0.3, "sigma": 2.0}, 1.1),
    "LogitNormal": ({"mu": -0.3, "sigma": 0.7}, 0.2),
    "StudentT": ({"nu": 4.0, "mu": 0.3, "sigma": 2.0}, 1.1),
    "Uniform": ({"lower": 1.0, "upper": 5.0}, 2.0),
    "Triangular": ({"lower": 1.0, "c": 2.5, "upper": 5.0}, 2.0),
    "TruncatedNormal": ({"mu": 0.25, "sigma": 0.1, "lower": 0.0, "upper": 0.6}, 0.3),
    "Beta": ({"alpha": 2.0, "beta": 5.0}, 0.3),
    "Gamma": ({"alpha": 2.0, "beta": 5.0}, 0.3),
    "HalfNormal": ({"sigma": 0.3}, 0.4),
    "HalfStudentT": ({"nu": 4.0, "sigma": 0.3}, 0.4),
    "Exponential": ({"lam": 3.0}, 0.4),
    "Dirichlet": ({"a": [2.0, 1.0, 1.0]}, [0.5, 0.3, 0.2]),
}


@pytest.mark.parametrize("name", MEMBERS)
def test_parameters_mean_what_pymc_means_by_them(name: str) -> None:
    params, x = MEMBERS[name]
    theirs = pm.logp(getattr(pm, name).dist(**params), np.asarray(x)).eval()
    assert FAMILIES[name].build(params).logpdf(x) == pytest.approx(
        float(theirs), rel=1e-6
    )  # PyTensor keeps constants in 32 bits


def test_every_family_but_loguniform_is_checked_against_pymc() -> None:
    assert set(FAMILIES) - set(MEMBERS) == {"LogUniform"}


def test_loguniform_is_uniform_in_the_logarithm() -> None:
    member = FAMILIES["LogUniform"].build({"lower": 1e14, "upper": 1e15})
    assert member.ppf([0.1, 0.5]) == pytest.approx([10**14.1, 10**14.5])


@pytest.mark.parametrize(
    ("family", "low", "high", "params"),
    [
        ("Normal", -1.0, 3.0, {"mu": 1.0, "sigma": 2 / Z95}),
        ("LogNormal", 1.0, 100.0, {"mu": math.log(10), "sigma": math.log(10) / Z95}),
        ("LogitNormal", 0.1, 0.9, {"mu": 0.0, "sigma": math.log(9) / Z95}),
        ("Uniform", 0.05, 0.95, {"lower": 0.0, "upper": 1.0}),
        ("LogUniform", math.exp(0.05), math.exp(0.95), {"lower": 1.0, "upper": math.e}),
    ],
)
def test_interval_has_the_closed_form(family: str, low: float, high: float, params: dict[str, float]) -> None:
    assert interval(family, low, high).params == pytest.approx(params, abs=1e-12)


def test_mass_sets_which_quantiles_the_interval_names() -> None:
    assert interval("Normal", -1.0, 1.0, mass=0.8).params["sigma"] == pytest.approx(1 / Z90)


def test_student_interval_uses_the_stated_nu() -> None:
    # the 95% quantile of Student's t with one degree of freedom is tan(0.45 pi)
    prior = interval("StudentT", -1.0, 1.0, nu=1.0)
    assert prior.params["sigma"] == pytest.approx(1 / math.tan(0.45 * math.pi))


@pytest.mark.parametrize(
    ("family", "mass", "key", "expected"),
    [
        ("HalfNormal", 0.9, "sigma", 1 / Z95),  # P(|z| < 1.645) = 0.9
        ("Exponential", 0.9, "lam", math.log(10)),
        ("HalfStudentT", 0.5, "sigma", 1.0),  # |t_1| has median 1
    ],
)
def test_upper_is_the_mass_quantile_of_a_one_parameter_family(
    family: str, mass: float, key: str, expected: float
) -> None:
    rest = {"nu": 1.0} if family == "HalfStudentT" else {}
    prior = stated(family, {"upper": 1.0, "mass": mass, **rest})
    assert prior.params[key] == pytest.approx(expected)
    assert prior.scipy().cdf(1.0) == pytest.approx(mass)


@settings(max_examples=30, deadline=None)
@given(
    family=st.sampled_from(["Beta", "TruncatedNormal", "Gamma"]),
    centre=st.floats(0.05, 0.95),
    width=st.floats(0.01, 0.3),
    mass=st.sampled_from([0.8, 0.9, 0.95]),
)
def test_numeric_solutions_reproduce_their_interval(family: str, centre: float, width: float, mass: float) -> None:
    low, high = centre * (1 - width), centre * (1 + width) * (1 - centre) + centre * centre
    rest = {"lower": -1.0, "upper": 2.0} if family == "TruncatedNormal" else {}
    prior = interval(family, low, high, mass=mass, **rest)
    np.testing.assert_allclose(prior.quantile([(1 - mass) / 2, (1 + mass) / 2]), [low, high], rtol=1e-9)


@pytest.mark.parametrize("family", ["Normal", "LogNormal", "LogitNormal", "Beta", "Gamma", "Uniform", "LogUniform"])
@pytest.mark.parametrize("ends", [(0.2, 0.6), (0.001, 0.5), (0.4, 0.401), (1e-4, 3e-4)])
def test_quantile_of_the_solution_is_the_interval(family: str, ends: tuple[float, float]) -> None:
    np.testing.assert_allclose(interval(family, *ends).quantile([0.05, 0.95]), ends, rtol=1e-9)


def test_half_infinite_truncated_normal_is_solved_far_from_its_mode() -> None:
    prior = interval("TruncatedNormal", 10.0, 500.0, lower=0.0)
    assert prior.params["mu"] < 0
    np.testing.assert_allclose(prior.quantile([0.05, 0.95]), [10.0, 500.0], rtol=1e-9)


def test_a_truncated_normal_wider_than_the_uniform_says_what_was_reached() -> None:
    # between 0 and 1 the widest member is the uniform, whose 90% interval is 0.05..0.95
    with pytest.raises(InputError, match=r"nearest reaches 0\.05: 0\.05\d*, 0\.95: 0\.95"):
        interval("TruncatedNormal", 0.01, 0.99, lower=0.0, upper=1.0)


def test_three_quantiles_on_the_family_are_met() -> None:
    table = {"0.05": math.exp(-Z95), "0.5": 1.0, "0.95": math.exp(Z95)}
    assert stated("LogNormal", {"quantiles": table}).params == pytest.approx({"mu": 0.0, "sigma": 1.0}, abs=1e-12)


@pytest.mark.parametrize(("family", "middle"), [("LogNormal", 3.7), ("Gamma", 6.0)])
def test_three_quantiles_off_the_family_print_what_was_reached(family: str, middle: float) -> None:
    with pytest.raises(StatementFault, match=r"no \w+ has the quantiles .* nearest reaches 0\.05: .*fewer numbers"):
        stated(family, {"quantiles": {"0.05": 1.0, "0.5": middle, "0.95": 10.0}})


def test_two_lopsided_quantiles_are_met_exactly() -> None:
    prior = stated("Gamma", {"quantiles": {"0.25": 2.0, "0.99": 30.0}})
    np.testing.assert_allclose(prior.quantile([0.25, 0.99]), [2.0, 30.0], rtol=1e-9)


def test_bounds_beside_an_interval_cut_after_solving() -> None:
    prior = interval("LogNormal", 2.0, 100.0, lower=1.1)
    assert prior.params == pytest.approx(interval("LogNormal", 2.0, 100.0).params)
    assert prior.bounds == (1.1, None)
    assert prior.scipy().cdf(1.1) == 0.0
    draws = prior.sample(np.random.default_rng(1), 20_000)
    assert draws.min() >= 1.1
    assert np.mean(draws < prior.quantile(0.3)) == pytest.approx(0.3, abs=0.012)  # 4 standard errors


def test_truncated_agrees_with_scipy_on_the_normal() -> None:
    cut = Truncated(FAMILIES["Normal"].build({"mu": 0.25, "sigma": 0.1}), 0.0, 0.6)
    own = FAMILIES["TruncatedNormal"].build({"mu": 0.25, "sigma": 0.1, "lower": 0.0, "upper": 0.6})
    x = np.array([-0.1, 0.0, 0.1, 0.3, 0.6, 0.7])
    np.testing.assert_allclose(cut.cdf(x), own.cdf(x), rtol=1e-9)
    np.testing.assert_allclose(cut.logpdf(x), own.logpdf(x), rtol=1e-9)
    np.testing.assert_allclose(cut.ppf([0.0, 0.2, 1.0]), own.ppf([0.0, 0.2, 1.0]), atol=1e-12)
    assert cut.support() == (0.0, 0.6)


def test_logitnormal_has_no_density_outside_the_unit_interval() -> None:
    member = LogitNormal(0.0, 1.0)
    assert member.logpdf([-1.0, 0.0, 1.0, 2.0]).tolist() == [-np.inf] * 4
    assert member.cdf([-1.0, 0.5, 2.0]).tolist() == [0.0, 0.5, 1.0]


def test_a_bound_at_as_of_is_resolved_at_use() -> None:
    prior = stated("TruncatedNormal", {"params": {"mu": 2028.0, "sigma": 0.8, "lower": "as_of", "upper": 2032.0}})
    assert prior.params["lower"] == "as_of"
    assert prior.scipy(2027.5).support() == (2027.5, 2032.0)
    with pytest.raises(InputError, match="pass as_of"):
        prior.quantile(0.5)
    with pytest.raises(InputError, match="nothing lies between lower = 2033 and upper = 2032"):
        prior.quantile(0.5, as_of=2033.0)


def test_dirichlet_quantiles_are_those_of_its_marginals() -> None:
    prior = stated("Dirichlet", {"params": {"a": [1.0, 1.0]}})  # marginals are uniform
    np.testing.assert_allclose(prior.quantile([0.1, 0.7]), [[0.1, 0.1], [0.7, 0.7]])
    assert prior.sample(np.random.default_rng(1), 5).shape == (5, 2)


def test_a_fixed_value_is_every_quantile_and_draw() -> None:
    prior = fixed(4.0)
    assert prior.quantile([0.05, 0.95]).tolist() == [4.0, 4.0]
    assert prior.sample(np.random.default_rng(1), 3).tolist() == [4.0] * 3
    with pytest.raises(InputError, match="has no distribution"):
        prior.scipy()


def test_the_same_seed_gives_the_same_draws() -> None:
    prior = interval("LogitNormal", 0.2, 0.6)
    first, second = (prior.sample(np.random.default_rng(7), 4) for _ in range(2))
    assert first.tolist() == second.tolist()


@pytest.mark.parametrize(
    ("distribution", "statement", "key", "remedy"),
    [
        ("Norml", {"interval": [0, 1]}, "distribution", "did you mean 'Normal'"),
        ("Zipf", {"interval": [0, 1]}, "distribution", "known: Beta, Dirichlet"),
        (["Normal"], {"interval": [0, 1]}, "distribution", "no known distribution"),
        (None, {"interval": [0, 1]}, "distribution", "add a PyMC class name"),
        ("Normal", {"value": 1.0}, "distribution", "drop one of the two"),
        (None, {"value": 1.0, "mass": 0.9}, "mass", "drop it"),
        (None, {"value": True}, "value", "is not a number: write it as"),
        ("Normal", {}, "params", "exactly one of params, interval"),
        ("HalfNormal", {}, "params", "exactly upper, the mass-quantile"),
        ("Normal", {"interval": [0, 1], "params": {}}, "interval", "params and interval: give exactly one"),
        ("Normal", {"interval": [1, 0]}, "interval", "[1, 0] is not [low, high]"),
        ("Normal", {"interval": [1, 1]}, "interval", "write the smaller number first"),
        ("Normal", {"interval": [1, 2, 3]}, "interval", "give two numbers"),
        ("Normal", {"interval": "0..1"}, "interval", "give two numbers"),
        ("Normal", {"interval": [0, math.nan]}, "interval", "give a finite number"),
        ("Normal", {"interval": [0, 10**400]}, "interval", "give a finite number"),
        ("Normal", {"interval": [0, "1"]}, "interval", "is not a number"),
        ("Normal", {"interval": [0, 1], "mass": 90}, "mass", "write 0.90 for 90%"),
        ("Normal", {"interval": [0, 1], "nu": 4}, "nu", "drop it"),
        ("LogNormal", {"interval": [0, 1]}, "interval", "outside the support (0, inf)"),
        ("LogitNormal", {"interval": [0.5, 1.5]}, "interval", "move it inside"),
        ("TruncatedNormal", {"interval": [0.1, 0.7], "lower": 0, "upper": 0.6}, "interval", "move it inside"),
        ("TruncatedNormal", {"interval": [0.1, 0.7]}, "interval", "add lower, upper or both"),
        ("TruncatedNormal", {"interval": [0.1, 0.7], "lower": "as_of"}, "lower", "is not a number"),
        ("TruncatedNormal", {"params": {"mu": 0, "sigma": 1}}, "params", "add lower, upper or both"),
        ("TruncatedNormal", {"params": {"mu": 0, "sigma": 1, "lower": 99.0}}, "lower", "widen them"),
        ("StudentT", {"interval": [0.1, 0.7]}, "interval", "add nu"),
        ("LogUniform", {"interval": [-1, 2]}, "interval", "move it inside"),
        ("Uniform", {"interval": [0, 1], "lower": 0}, "lower", "drop it"),
        ("HalfNormal", {"interval": [0, 1]}, "interval", "give upper = x with mass"),
        ("HalfNormal", {"upper": -1.0}, "upper", "move it inside"),
        ("Dirichlet", {"interval": [0, 1]}, "interval", "give params"),
        ("Dirichlet", {"params": {"a": 2.0}}, "params", "write [1.0, 1.0]"),
        ("Dirichlet", {"params": {"a": [2.0, 0.0]}}, "params", "must be above 0"),
        ("Triangular", {"quantiles": {"0.05": 1, "0.95": 2}}, "quantiles", "give params"),
        ("Triangular", {"params": {"lower": 0, "c": 2, "upper": 1}}, "params", "put them in order"),
        ("Normal", {"params": {"mean": 0, "sigma": 1}}, "params", "no parameter 'mean'"),
        ("Normal", {"params": {"mu": 0, "sgima": 1}}, "params", "did you mean 'sigma'"),
        ("Normal", {"params": {"mu": 0}}, "params", "needs sigma: add sigma"),
        ("Normal", {"params": {"mu": 0, "sigma": 0}}, "params", "must be above 0"),
        ("Normal", {"params": {"mu": 0, "sigma": -1}}, "params", "give a positive number"),
        ("Normal", {"params": {"mu": math.inf, "sigma": 1}}, "params", "give a finite number"),
        ("Normal", {"params": {"mu": "as_of", "sigma": 1}}, "params", "is not a number"),
        ("Normal", {"params": [0, 1]}, "params", "is not a table: write { mu"),
        ("Normal", {"params": {"mu": 0, "sigma": 1}, "mass": 0.9}, "mass", "drop it"),
        ("Normal", {"params": {"mu": 0, "sigma": 1}, "lower": 2, "upper": 1}, "lower", "swap them"),
        ("Normal", {"params": {"mu": 0, "sigma": 1}, "lower": 50}, "lower", "widen them"),
        ("Normal", {"quantiles": [1, 2]}, "quantiles", "is not a table"),
        ("Normal", {"quantiles": {"0.05": 1}}, "quantiles", "needs at least 2"),
        ("Normal", {"quantiles": {"5%": 1, "0.95": 2}}, "quantiles", 'write "0.05" = x'),
        ("Normal", {"quantiles": {"5": 1, "95": 2}}, "quantiles", "no probability between 0 and 1"),
        ("Normal", {"quantiles": {"0.05": 2, "0.95": 1}}, "quantiles", "reorder them"),
        ("Normal", {"quantiles": {"0.05": 1, "0.95": 2}, "mass": 0.9}, "mass", "drop it"),
    ],
)
def test_a_statement_that_cannot_be_used_names_its_key_and_the_remedy(
    distribution: object, statement: dict[str, object], key: str, remedy: str
) -> None:
    with pytest.raises(StatementFault) as caught:
        stated(distribution, statement)
    assert caught.value.key == key
    assert remedy in str(caught.value)


def test_solve_refuses_a_family_without_a_solver() -> None:
    with pytest.raises(StatementFault, match="give params"):
        solve(FAMILIES["Triangular"], {0.1: 1.0, 0.9: 2.0})


def test_suggestion_lists_what_is_known_when_nothing_is_near() -> None:
    assert suggestion("zzz", ["b", "a"]) == "; known: a, b"
