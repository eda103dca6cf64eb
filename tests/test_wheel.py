"""The package works from an installed wheel as from a checkout: priors, tables and templates travel with it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from forecast.places import priors_folder
from forecast.priors import load_priors

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The wheel unpacked into an empty folder, as an installer would."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    site = folder / "site"
    zipfile.ZipFile(wheel).extractall(site)
    return site


def output_of(site: Path, *arguments: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=site.parent, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_checkout_reads_its_own_priors():
    assert priors_folder() == ROOT / "priors"


def test_a_wheel_reads_the_same_priors(installed):
    code = (
        "from forecast.places import priors_folder; from forecast.priors import load_priors; "
        "print(priors_folder()); print(load_priors().digest)"
    )
    folder, digest = output_of(installed, "-c", code).splitlines()
    assert Path(folder) == installed / "forecast" / "_priors"
    assert digest == load_priors().digest


def test_a_wheel_runs_the_pipeline_and_writes_the_report(installed, tmp_path):
    output_of(
        installed, "-m", "forecast", "run", "--prior-only", "--draws", "20", "--quiet", "-o", str(tmp_path / "out")
    )
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"run.nc", "summary.csv", "report.html"}


def test_a_wheel_brings_the_fitted_posterior(installed):
    code = "import forecast as fc; run = fc.shipped_posterior(); print(run['posterior'].sizes['draw'])"
    assert output_of(installed, "-c", code) == "1000\n"
