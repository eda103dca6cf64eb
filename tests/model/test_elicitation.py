"""Research production stated by asymptotes, or by sigma, instead of by share and infinite-labour multiple."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from forecast.equations.research import ces, production, rho_from_infinite_labour, sigma_from_rho
from forecast.errors import InputError
from forecast.fitting import sample_prior
from forecast.model import build_model
from forecast.observations import Observations
from forecast.places import priors_folder
from forecast.priors import Priors, check_priors, interval, load_priors
from forecast.runs import parameters_of
from forecast.views import apply_view

VIEW = """
[overlay]
description = "Asymptotes."

[priors.infinite_labour_multiple]
value = 15.0
units = "1"
source = ["judgement"]
rationale = "Reference value of PEERS."

[priors.infinite_compute_multiple]
{compute}
units = "1"
source = ["judgement"]
rationale = "Reference value of PEERS."

[priors.tenth_compute_multiple]
value = {tenth}
units = "1"
source = ["judgement"]
rationale = "A tenth of the compute is 3.33 times slower."
"""
FILLED = VIEW.format(compute="value = 5000.0", tenth=repr(1 / 3.33))


@pytest.fixture
def asymptotes(tmp_path: Path) -> Path:
    path = tmp_path / "asymptotes.toml"
    path.write_text(FILLED, encoding="utf-8")
    return path


def test_the_published_reference_comes_out_of_the_prior_set(asymptotes: Path, observations: Observations) -> None:
    """15x, 5000x, 3.33x: share 0.689469, zeta 0.732229, and labour x 30 in parallel 1.62724 (exponent 0.5)."""
    drawn = sample_prior(load_priors(overlays=[asymptotes]), observations, draws=3, chains=1, random_seed=1)
    p = parameters_of(drawn)
    np.testing.assert_allclose(p["compute_share"], 0.689469, atol=5e-7)
    np.testing.assert_allclose(p["compute_exponent"], 0.732229, atol=5e-7)
    rho = rho_from_infinite_labour(p["infinite_labour_multiple"], p["compute_share"])
    np.testing.assert_allclose(ces(30**0.5, 1.0, p["compute_share"], rho), 1.62724, atol=5e-6)
    np.testing.assert_allclose(ces(1.0, 0.1, p["compute_share"], rho, p["compute_exponent"]), 1 / 3.33, rtol=1e-9)


def test_a_view_by_asymptotes_on_a_run(asymptotes: Path, prior_run) -> None:  # type: ignore[no-untyped-def]
    p = parameters_of(apply_view(prior_run, asymptotes))
    np.testing.assert_allclose(p["compute_share"], 0.689469, atol=5e-7)
    np.testing.assert_allclose(p["compute_exponent"], 0.732229, atol=5e-7)


def test_the_model_is_sampled_in_the_asymptotes(asymptotes: Path, observations: Observations) -> None:
    """The graph has B as a parameter and no share of its own, and a finite log density."""
    asymptotes.write_text(
        VIEW.format(compute='distribution = "LogNormal"\ninterval = [100.0, 1e5]\nlower = 1.1', tenth=0.3),
        encoding="utf-8",
    )
    priors = load_priors(overlays=[asymptotes])
    assert "compute_share" not in priors
    model = build_model(priors, observations, blocks=["research"])
    names = {variable.name for variable in model.free_RVs}
    assert "infinite_compute_multiple" in names
    assert not any("compute_share" in labels for labels in model.coords.values())
    assert np.isfinite(model.compile_logp()({**model.initial_point()}))


def test_sigma_instead_of_an_asymptote() -> None:
    for sigma in (0.05, 0.5, 0.99):
        multiple = production({"compute_share": 0.67, "substitution_elasticity": sigma})["infinite_labour_multiple"]
        assert sigma_from_rho(rho_from_infinite_labour(multiple, 0.67)) == pytest.approx(sigma, rel=1e-9)


def test_sigma_and_infinite_compute_give_both_others() -> None:
    """A^rho + B^rho = 1 with rho = -1: A = 1/(1 - 1/B)."""
    found = production({"substitution_elasticity": 0.5, "infinite_compute_multiple": 4.0})
    assert found["infinite_labour_multiple"] == pytest.approx(4.0 / 3.0)
    assert found["compute_share"] == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "value = 15.0",
            "value = 0.9",
            "priors.infinite_labour_multiple.value: reaches from 0.9 to 0.9, but an asymptote",
        ),
        ("value = 15.0", "value = 1.0", "an asymptote is a multiple above 1"),
        (
            "value = 5000.0",
            'distribution = "LogNormal"\ninterval = [0.5, 10.0]',
            "priors.infinite_compute_multiple.interval",
        ),
        (repr(1 / 3.33), "1.5", "less compute is a multiple between 0 and 1"),
        ("infinite_compute_multiple", "substitution_elasticity", "sigma between 0 and 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(asymptotes: Path, old: str, new: str, said: str) -> None:
    asymptotes.write_text(FILLED.replace(old, new), encoding="utf-8")
    assert any(said in fault for fault in check_priors(asymptotes))


@pytest.mark.parametrize("sigma", ["0.0", "-0.5", "1.0"])
def test_an_elasticity_that_is_not_between_0_and_1_is_refused(asymptotes: Path, sigma: str) -> None:
    text = FILLED.replace("infinite_compute_multiple", "substitution_elasticity").replace("5000.0", sigma)
    asymptotes.write_text(text, encoding="utf-8")
    (fault,) = check_priors(asymptotes)
    assert "priors.substitution_elasticity.value: reaches from" in fault


def test_python_refuses_it_too(priors: Priors) -> None:
    with pytest.raises(InputError, match="infinite_labour_multiple reaches from 0 to inf, but an asymptote"):
        priors.replace(infinite_labour_multiple=interval("LogNormal", 2.0, 100.0))


def test_both_at_once_in_one_set_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path(shutil.copytree(priors_folder() / "baseline", tmp_path / "mine")).relative_to(tmp_path)
    added = FILLED.split("[priors.infinite_compute_multiple]")[1].split("[priors.tenth")[0]
    with (folder / "research.toml").open("a", encoding="utf-8") as file:
        file.write("\n[priors.infinite_compute_multiple]" + added)
    (fault,) = check_priors(folder)
    assert "priors.infinite_compute_multiple: cannot stand beside priors.compute_share: give one of the two" in fault
