"""Priors to PreliZ and back: the same quantiles on both sides."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from forecast.elicitation.preliz_priors import from_preliz, to_preliz
from forecast.errors import InputError
from forecast.priors import load_priors
from forecast.statements import fixed

preliz = pytest.importorskip("preliz")
LEVELS = np.array([0.05, 0.5, 0.95])
AS_OF = 2026.83
PRIORS = load_priors()
FAMILIES = {prior.distribution: name for name, prior in PRIORS.items() if prior.bounds is None}
CUT = [name for name, prior in PRIORS.items() if prior.bounds is not None]
NAMES = [name for family, name in FAMILIES.items() if family not in ("fixed", "Dirichlet", "LogUniform")] + CUT


@pytest.mark.parametrize("name", NAMES)
def test_preliz_has_the_quantiles_of_the_prior_and_gives_them_back(name: str) -> None:
    prior = PRIORS[name]
    there = to_preliz(prior, AS_OF)
    assert np.asarray(there.ppf(LEVELS)) == pytest.approx(prior.quantile(LEVELS, AS_OF), rel=1e-6)
    back = from_preliz(there, name)
    assert back.quantile(LEVELS, AS_OF) == pytest.approx(prior.quantile(LEVELS, AS_OF), rel=1e-9)
    assert (back.name, back.units, back.source) == (name, prior.units, ("judgement",))


def test_what_maximum_entropy_finds_is_a_prior() -> None:
    found = preliz.LogNormal()
    preliz.maxent(found, 0.6, 1.7, 0.9)
    prior = from_preliz(found, "returns")
    assert prior.scipy().cdf(1.7) - prior.scipy().cdf(0.6) == pytest.approx(0.9, abs=1e-3)


def test_other_parameters_of_a_family_are_understood() -> None:
    """Mean 0.6 and standard deviation 0.05 of a beta: 57 and 38."""
    prior = from_preliz(preliz.Beta(mu=0.6, sigma=0.05), "compute_share")
    assert prior.params == pytest.approx({"alpha": 57.0, "beta": 38.0})


def test_shares_of_several_are_shown_too() -> None:
    assert to_preliz(PRIORS["loss_shares"]).alpha.tolist() == [2.0, 1.0, 1.0]


def test_what_preliz_lacks_and_what_files_lack_is_said() -> None:
    with pytest.raises(InputError, match="LogUniform, which PreliZ lacks"):
        to_preliz(PRIORS["text_stock_tokens"])
    with pytest.raises(InputError, match="holds one value"):
        to_preliz(fixed(1.0))
    with pytest.raises(InputError, match="knows no Wald"):
        from_preliz(preliz.Wald(1.0, 1.0), "returns")
    with pytest.raises(InputError, match="has no parameters yet"):
        from_preliz(preliz.LogNormal(), "returns")
    with pytest.raises(InputError, match="an asymptote is a multiple above 1"):
        from_preliz(preliz.LogNormal(1.0, 1.0), "infinite_labour_multiple")
    with pytest.raises(InputError, match="pass as_of"):
        to_preliz(PRIORS["slowdown_year"])


def test_without_preliz_the_way_to_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "preliz", None)
    with pytest.raises(InputError, match=r"forecast\[elicit\]"):
        to_preliz(PRIORS["returns"])
