"""What is published works: the wheel runs from an empty folder, the sdist is whole and makes that very wheel.

Both are built once, the wheel from the sdist; what it depends on is that of the tests' own environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from tools import uv

import forecast as fc
from forecast.places import priors_folder
from forecast.priors import load_priors

ROOT = Path(__file__).parents[1]
PUBLISHED = ("forecast", "priors", "tests", "notebooks")
SHARE = (
    "tests/test_schema.py",
    "tests/test_tables.py",
    "tests/test_families.py",
    "tests/equations/test_depth_scaling.py",
)
OWN_FOLDER = "tests/test_wheel.py::test_a_checkout_reads_its_own_priors"


class Built(NamedTuple):
    """The two files, and the sdist unpacked."""

    wheel: Path
    sdist: Path
    source: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("built")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return Built(wheel, sdist, folder / sdist.name.removesuffix(".tar.gz"))


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel in it, installed; its dependencies are lent by the one that runs this test."""
    tool = uv()
    if tool is None:
        pytest.skip("no uv on this machine to install the wheel with: pip install uv")
    folder = tmp_path_factory.mktemp("installed") / "venv"
    outside = {"env": environment(), "cwd": folder.parent, "check": True, "capture_output": True}
    subprocess.run([tool, "venv", "--python", sys.executable, str(folder)], **outside)
    python = folder / "bin" / "python"
    subprocess.run(
        [tool, "pip", "install", "--offline", "--no-deps", "--python", str(python), str(built.wheel)], **outside
    )
    (site,) = folder.glob("lib/python3*/site-packages")
    (site / "lent.pth").write_text(
        sysconfig.get_path("purelib") + "\n", encoding="utf-8"
    )  # editable installs stay behind
    return folder


def environment() -> dict[str, str]:
    """Variables of our own process, without those that lead to the checkout."""
    return {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")}


def output_of(folder: Path, *command: str | Path) -> str:
    done = subprocess.run(command, env=environment(), cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def tracked() -> set[str]:
    """Files of the repository that are published, as git knows them."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("this is no checkout with git, which knows the files")
    listed = subprocess.run(["git", "ls-files", "-z", *PUBLISHED], cwd=ROOT, capture_output=True, text=True, check=True)
    return {name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()}


def test_a_checkout_reads_its_own_priors() -> None:
    assert priors_folder() == ROOT / "priors"
    assert Path(fc.__file__).parent == ROOT / "forecast"


def test_the_sdist_holds_every_file_of_the_repository(built: Built) -> None:
    for name in tracked():
        assert (built.source / name).read_bytes() == (ROOT / name).read_bytes(), name
    assert {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml"} <= {path.name for path in built.source.iterdir()}


def test_the_wheel_holds_the_package_and_its_priors(built: Built) -> None:
    held = set(zipfile.ZipFile(built.wheel).namelist())
    wanted = {name for name in tracked() if name.startswith("forecast/")}
    wanted |= {f"forecast/_{name}" for name in tracked() if name.startswith("priors/")}
    assert wanted <= held
    assert not [name for name in held if name.startswith(("tests/", "notebooks/")) or "__pycache__" in name]


def test_some_tests_pass_from_the_sdist(built: Built, installed: Path) -> None:
    """In the unpacked folder, whose package they read: the last of them says so."""
    command = [installed / "bin" / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *SHARE, OWN_FOLDER]
    assert " passed" in output_of(built.source, *command)


@pytest.mark.slow
def test_all_tests_of_the_sdist_can_be_collected(built: Built, installed: Path) -> None:
    command = [installed / "bin" / "python", "-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider"]
    assert " tests collected" in output_of(built.source, *command)


def test_a_wheel_reads_the_same_priors(installed: Path) -> None:
    code = (
        "from forecast.places import priors_folder; from forecast.priors import load_priors; "
        "print(priors_folder()); print(load_priors().digest)"
    )
    folder, digest = output_of(installed, installed / "bin" / "python", "-c", code).splitlines()
    assert Path(folder).parts[-3:] == ("site-packages", "forecast", "_priors")
    assert Path(folder).is_relative_to(installed)
    assert digest == load_priors().digest


def test_an_installed_wheel_runs_in_an_empty_folder(installed: Path, tmp_path: Path, run: xr.DataTree) -> None:
    """`forecast run` as it stands: the posterior is the one that came with the wheel, the answers are its answers."""
    output_of(tmp_path, installed / "bin" / "forecast", "run", "--quiet")
    assert [path.name for path in tmp_path.iterdir()] == ["forecast-out"]
    made = tmp_path / "forecast-out"
    assert {path.name for path in made.iterdir()} == {"run.nc", "summary.csv", "report.html"}
    xr.testing.assert_identical(fc.load_run(made / "run.nc")["posterior"].to_dataset(), run["posterior"].to_dataset())
    rows = pd.read_csv(made / "summary.csv").query(
        "variable == 'log10_parallel_streams' and year == 2031 and form == 'trend'"
    )
    streams = fc.project(run, scenario="baseline", years=[2031])["log10_parallel_streams"]
    np.testing.assert_allclose(rows["q50"], np.median(streams), rtol=1e-8)
