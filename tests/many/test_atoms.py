"""Fresh draws of the prior: of the right distributions, each parameter and atom from a seed of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from forecast.equations import trends
from forecast.errors import ForecastError, InputError
from forecast.families import FAMILIES
from forecast.many.atoms import ATOM, centre, drawn_atom, prior_atoms, sampler, samplers
from forecast.observations import Observations, load_observations
from forecast.priors import Priors, fixed, interval, load_priors
from forecast.statements import stated


def atom(priors: Priors, observations: Observations, number: int = 0, **rest: Any) -> dict[str, Any]:
    source = prior_atoms(priors, observations, 7, **rest)
    return drawn_atom(source, samplers(source), number, "numpy")


@pytest.fixture(scope="module")
def first(priors: Priors, observations: Observations) -> dict[str, Any]:
    return atom(priors, observations, leaps=True)


def test_every_parameter_has_its_distribution(
    priors: Priors, observations: Observations, first: dict[str, Any]
) -> None:
    """Kolmogorov-Smirnov at 1e-4 for each of 90; of shares the second one."""
    tested = 0
    for name, prior in priors.items():
        values = first.get(name)
        if values is None or not np.ndim(values):
            continue
        if prior.distribution == "Dirichlet":
            a = np.array(prior.params["a"])
            law, values = stats.beta(a[1], a.sum() - a[1]), values[:, 1]
        else:
            law = prior.scipy(observations.as_of_year)
        assert stats.kstest(values, law.cdf).pvalue > 1e-4, name
        tested += 1
    assert tested > 80


@pytest.mark.parametrize("bounds", [(5.0, 9.0), (-9.0, -5.0), (-1.0, 2.0), (-np.inf, 0.5), (5.5, np.inf)])
def test_a_truncated_normal_is_exact_far_in_its_tails(bounds: tuple[float, float]) -> None:
    low, high = bounds
    ends = {key: x for key, x in (("lower", low), ("upper", high)) if np.isfinite(x)}
    prior = stated("TruncatedNormal", {"params": {"mu": 0.0, "sigma": 1.0, **ends}})
    found = sampler(prior, 2026.0)(np.random.default_rng(2), 20_000)
    assert low <= found.min() <= found.max() <= high
    assert stats.kstest(found, FAMILIES["TruncatedNormal"].build(prior.params).cdf).pvalue > 1e-3


def test_replacing_a_prior_leaves_all_other_draws_as_they_are(
    priors: Priors, observations: Observations, first: dict[str, Any]
) -> None:
    other = atom(priors.replace(returns=interval("LogNormal", 0.1, 0.2), text_epochs=2.0), observations)
    moved = {name for name, values in other.items() if not np.array_equal(values, first[name])}
    assert moved == {"returns", "text_epochs", "effective_flop_centre"}
    assert other["text_epochs"] == 2.0


def test_atoms_differ_and_a_seed_repeats_them(
    priors: Priors, observations: Observations, first: dict[str, Any]
) -> None:
    again, second = (atom(priors, observations, number) for number in (0, 1))
    np.testing.assert_array_equal(again["returns"], first["returns"])
    assert abs(np.corrcoef(second["returns"], first["returns"])[0, 1]) < 0.05
    assert abs(np.corrcoef(first["returns"], first["taste_slope"])[0, 1]) < 0.05


def test_what_follows_from_the_draws_follows(observations: Observations, first: dict[str, Any]) -> None:
    years = tuple(load_observations().tables["time_horizons"]["year"].values.tolist())
    expected = trends.effective_flop_centre(years, first)
    np.testing.assert_allclose(first["effective_flop_centre"], expected, rtol=1e-13)
    np.testing.assert_allclose(centre(first, years, "compiled"), expected, rtol=1e-12)
    elicited = load_priors().replace(infinite_labour_multiple=fixed(16.0))
    assert atom(elicited, observations)["infinite_labour_multiple"] == 16.0


def test_what_a_view_states_of_research_production_is_solved_for(observations: Observations) -> None:
    view = stated("Uniform", {"params": {"lower": 0.4, "upper": 0.8}})
    priors = load_priors(overlays=[overlay_of(substitution_elasticity=view)])
    found = atom(priors, observations)
    sigma, share = found["substitution_elasticity"], found["compute_share"]
    np.testing.assert_allclose(np.log(found["infinite_labour_multiple"]), np.log(share) * sigma / (sigma - 1.0))


def overlay_of(**entries: Any) -> Any:
    from forecast.overlays import SET, Overlay

    return Overlay("test", "a view of a test", entries, {}, {}, SET)


def test_only_what_is_read_is_drawn(priors: Priors, observations: Observations, first: dict[str, Any]) -> None:
    read = {"world_compute_growth", "effective_flop_centre"}
    source = prior_atoms(priors, observations, 7, read | {"training_days"})
    assert "taste_slope" not in source.priors
    some = {name: draw for name, draw in samplers(source).items() if name in ("world_compute_growth", "training_days")}
    rng = np.random.default_rng(1)
    assert all(draw(rng, 5).shape == (5,) for draw in some.values())


def test_draws_that_are_no_numbers_are_refused_by_name(priors: Priors, observations: Observations) -> None:
    source = prior_atoms(priors, observations, 7)
    own = samplers(source) | {"world_researchers": lambda rng, size: np.full(size, np.inf)}
    with pytest.raises(ForecastError, match="parameter world_researchers is not finite"):
        drawn_atom(source, own, 0, "numpy")


def test_tables_without_what_the_constants_need_are_refused(priors: Priors) -> None:
    with pytest.raises(InputError, match="has no row up to 2018-01-01"):
        prior_atoms(priors, load_observations(as_of="2018-01-01"), 1)


def test_an_atom_is_as_large_as_the_promise_says(first: dict[str, Any]) -> None:
    assert ATOM == 16384
    assert first["loss_shares"].shape == (ATOM, 3)
    assert "depth_family_variate" not in first
    assert first["leap_pool"].shape == (ATOM,)
