"""Another Python than the one the tests run on gives the same numbers: to 1e-12, fits within 4 Monte Carlo errors.

The package says that it runs on 3.12, and CI's own Python is 3.13. Where a machine has no 3.12 these tests are skipped and
say so: `pytest -rs` prints it.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import arviz as az
import numpy as np
import pytest
import xarray as xr
from tools import interpreter, uv

import forecast as fc

ROOT = Path(__file__).parents[2]
OTHER = "3.12"
YEARS = (2027, 2037)
CLOSE = 1e-12
GATE_FAILED = 3  # exit code: the results are written and marked
ERRORS = 4.0  # Monte Carlo errors of the difference
SMOKE = """
import sys
import forecast as fc
years = range(*map(int, sys.argv[2:4]))
drawn = fc.sample_prior(fc.load_priors(), fc.load_observations(), draws=50, chains=2, random_seed=1)
for name, run in {"posterior": fc.shipped_posterior(), "prior": drawn}.items():
    fc.project(run, scenario="baseline", years=years).to_netcdf(f"{sys.argv[1]}/{name}_project.nc", engine="h5netcdf")
    fc.takeoff(run, scenario="baseline", years=years).to_netcdf(f"{sys.argv[1]}/{name}_takeoff.nc", engine="h5netcdf")
print(sys.version.split()[0])
"""


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment of another Python, with the locked dependencies: its folder of programs."""
    tool, python = uv(), interpreter(OTHER)
    if tool is None:
        pytest.skip("no uv on this machine to make an environment with: pip install uv")
    if python is None:
        pytest.skip(f"no Python {OTHER} on this machine: uv python install {OTHER}, or pyenv install {OTHER}")
    folder = tmp_path_factory.mktemp("second") / "venv"
    done = subprocess.run(
        [tool, "sync", "--quiet", "--no-dev", "--no-compile-bytecode", "--python", python],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV"} | {"UV_PROJECT_ENVIRONMENT": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return folder / "bin"


def told(command: list[str | Path], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def same(there: Path, here: xr.Dataset) -> None:
    found = xr.load_dataset(there, engine="h5netcdf")
    assert set(found.data_vars) == set(here.data_vars) and here.data_vars
    for name, values in here.data_vars.items():
        np.testing.assert_allclose(found[name], values, rtol=CLOSE, atol=CLOSE, equal_nan=True, err_msg=str(name))


def test_the_smoke_of_100_draws_and_the_shipped_posterior_are_the_same(
    other: Path, run: xr.DataTree, priors: Any, observations: Any, tmp_path: Path
) -> None:
    version = told([other / "python", "-c", SMOKE, tmp_path, *map(str, YEARS)], tmp_path)
    assert version.startswith(f"{OTHER}.")
    drawn = fc.sample_prior(priors, observations, draws=50, chains=2, random_seed=1)
    for name, tree in {"posterior": run, "prior": drawn}.items():
        same(tmp_path / f"{name}_project.nc", fc.project(tree, scenario="baseline", years=range(*YEARS)))
        same(tmp_path / f"{name}_takeoff.nc", fc.takeoff(tree, scenario="baseline", years=range(*YEARS)))


@pytest.mark.slow
def test_the_command_works(other: Path, tmp_path: Path) -> None:
    told([other / "forecast", "run", "--prior-only", "--draws", "25", "--quiet", "-o", "out"], tmp_path)  # 4 chains
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"run.nc", "summary.csv", "report.html"}


@pytest.mark.slow
def test_a_fit_is_within_its_monte_carlo_errors(other: Path, run: xr.DataTree, tmp_path: Path, counts: Any) -> None:
    """Means and medians of every parameter, against the posterior that the package brings along."""
    command = [other / "forecast", "fit", "--draws", "200", "--seed", "11", "--quiet", "-o", "fit"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode in (0, GATE_FAILED), done.stderr[
        -2000:
    ]  # so few draws fail the gate; their errors are wider
    fitted = fc.load_run(tmp_path / "fit" / "run.nc")["posterior"].to_dataset()
    assert fitted.sizes["draw"] == 200
    names = [str(name) for name, values in run["posterior"].data_vars.items() if float(values.std()) > 0.0]
    assert len(names) > 50
    far = {}
    for method in ("mean", "median"):
        one, two = fitted[names], run["posterior"].to_dataset()[names]
        errors = np.hypot(az.mcse(one, method=method), az.mcse(two, method=method))
        apart = abs(getattr(one, method)(("chain", "draw")) - getattr(two, method)(("chain", "draw"))) / errors
        far |= {f"{method} of {name}": float(apart[name].max()) for name in names}
    counts.add(f"means and medians of a fit under Python {OTHER}, compared", len(far))
    assert max(far.values()) < ERRORS, {name: z for name, z in far.items() if z >= ERRORS}
