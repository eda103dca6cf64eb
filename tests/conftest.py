"""Fixtures that several rooms share. Only tests that ask for `fitted` pay for the one fit, about a minute."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import xarray as xr
from hypothesis import settings
from synthetic import readout_draws, yearly_draws

from forecast.fitting import fit, sample_prior
from forecast.observations import Observations, load_observations
from forecast.priors import Priors, load_priors
from forecast.runs import save_run
from forecast.shipped import shipped_posterior
from forecast.side_draws import thinned

if TYPE_CHECKING:
    from forecast.explorer import Explorer

# The same commit gives the same verdict; `pytest --hypothesis-profile=explore` draws new examples.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("same")


@pytest.fixture(scope="session")
def yearly() -> xr.Dataset:
    return yearly_draws()


@pytest.fixture(scope="session")
def readouts() -> xr.Dataset:
    return readout_draws()


@pytest.fixture(scope="session")
def priors() -> Priors:
    return load_priors()


@pytest.fixture(scope="session")
def observations() -> Observations:
    return load_observations()


@pytest.fixture(scope="session")
def prior_run(priors: Priors, observations: Observations) -> xr.DataTree:
    """300 draws of the prior: seconds, where no fit is needed."""
    return sample_prior(priors, observations, draws=150, chains=2, random_seed=1)


@pytest.fixture(scope="session")
def sweep_folder(tmp_path_factory: pytest.TempPathFactory, prior_run: xr.DataTree) -> Callable[[str], Path]:
    """Makes a folder with 100 draws of the prior as ``run.nc`` and a plan as ``sweep.toml``."""

    def made(plan: str) -> Path:
        folder = tmp_path_factory.mktemp("sweep")
        save_run(thinned(prior_run, 100), folder / "run.nc")
        (folder / "sweep.toml").write_text(plan)
        return folder

    return made


@pytest.fixture(scope="session")
def run() -> xr.DataTree:
    """The posterior that comes with the package; ``tests/test_shipped.py`` holds it against `fitted`."""
    return shipped_posterior()


@pytest.fixture(scope="session")
def fitted(priors: Priors, observations: Observations) -> xr.DataTree:
    """The one real fit of the test suite, with a seed of its own: compiling takes longer than its 1200 draws."""
    return fit(priors, observations, draws=300, tune=600, random_seed=2)


@pytest.fixture(scope="session")
def page(prior_run: xr.DataTree) -> Explorer:
    """The slider page of `prior_run`: its sliders are ranked once, in seconds."""
    from forecast.explorer import explorer

    return explorer(prior_run)
