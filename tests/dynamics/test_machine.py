"""Machine code on disk: found by the next process, never of an equation that has changed since, and never in the way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from forecast.dynamics import flow, walking
from forecast.dynamics.compiled import integrator_source, traced
from forecast.dynamics.machine import FILE, HEADER, kept_source, key_of, machine_code, source_of
from forecast.places import cache_folder
from forecast.side_draws import parameters_with

TWICE = "@plain\ndef twice(x):\n    return 2.0 * x\n"
PROCESS = f"""
from forecast.dynamics.machine import machine_code
twice = machine_code({TWICE!r}).twice
print(twice(21.0), sum(twice.stats.cache_hits.values()), sum(twice.stats.cache_misses.values()))
"""
WAIT = 300.0  # seconds that a loaded machine may take for what takes two


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def prior_names(prior_run: xr.DataTree) -> dict[str, int]:
    return {name: int(np.ndim(value) > 1) for name, value in parameters_with(prior_run).items()}


def started() -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", PROCESS], env=dict(os.environ), stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> list[str]:
    out, _ = process.communicate(timeout=WAIT)
    assert process.returncode == 0
    return out.split()


def test_a_second_process_finds_what_the_first_one_compiled(folder: Path) -> None:
    assert said(started()) == ["42.0", "0", "1"]
    assert said(started()) == ["42.0", "1", "0"]


def test_two_processes_may_compile_at_once_and_leave_what_a_third_one_finds(folder: Path) -> None:
    for process in [started(), started()]:
        assert said(process)[0] == "42.0"
    assert said(started()) == ["42.0", "1", "0"]


def test_where_nothing_can_be_written_code_is_compiled_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "file"))
    code = machine_code("# nowhere\n" + TWICE)
    assert code.twice(21.0) == 42.0
    assert not hasattr(code, "__file__")


def test_numbas_own_setting_says_where_the_code_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder() == folder / "forecast"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(folder / "numba"))
    assert cache_folder() == folder / "numba" / "forecast"


def test_half_a_file_is_written_anew_and_a_whole_one_left_alone(folder: Path) -> None:
    file = kept_source(TWICE)
    file.write_text(TWICE[:10])
    assert kept_source(TWICE) == file
    assert file.read_text() == TWICE
    assert kept_source(TWICE) == file
    assert [item.name for item in file.parent.iterdir()] == [FILE]


def test_an_edited_equation_is_kept_elsewhere(prior_names: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    def key() -> str:
        return key_of(integrator_source(*traced(prior_names, ()))[0])

    before, rates = key(), flow.trends.software_growth
    assert key() == before
    monkeypatch.setattr(flow.trends, "software_growth", lambda p: rates(p) ** 2)
    assert key() != before


def test_an_edited_loop_or_number_is_kept_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    before = source_of(walking, "plain")
    monkeypatch.setattr(walking, "NEWTON_STEPS", 39)
    assert source_of(walking, "plain") == before.replace("NEWTON_STEPS = 40", "NEWTON_STEPS = 39") != before


def test_source_says_all_that_it_needs() -> None:
    """What stands in the module before it was written out is neither imported nor left behind."""
    text = HEADER.format(kept=False) + source_of(walking, "plain")
    assert "import forecast" not in text
    assert "from forecast" not in text


@pytest.mark.slow
def test_a_second_process_compiles_nothing_of_the_takeoff(folder: Path) -> None:
    program = """
from forecast.dynamics import groups, simulate
from forecast.shipped import shipped_posterior
from forecast.side_draws import parameters_with, thinned
kernels = []
found, groups.kernel_for = groups.kernel_for, lambda *key: kernels.append(found(*key)) or kernels[-1]
p = parameters_with(thinned(shipped_posterior(), 100))
legs = simulate(p, 2046.0, "frozen", engine="compiled")
groups.walks()
loops = [getattr(kernel.code, name) for kernel in kernels for name in ("march", "rates_at")]
print(sum(sum(loop.stats.cache_misses.values()) for loop in loops), sum(len(loop.signatures) for loop in loops))
"""
    for misses in (4, 0):
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=2 * WAIT)
        assert done.stdout.split() == [str(misses), "4"]
