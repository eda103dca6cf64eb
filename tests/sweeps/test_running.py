"""A sweep: what is there is kept, what is missing or damaged is done, and the whole is always the same."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import forecast as fc
from forecast.errors import DataMissingError, ForecastError, InputError
from forecast.runs import save_run
from forecast.side_draws import thinned
from forecast.sweeps import running
from forecast.sweeps.running import Sweep, sweep

TEXT = """
run = "run.nc"
[settings]
years = "2026:2028"
levels = [0.1, 0.5, 0.9]
[grid]
scenarios = ["baseline", "software_only"]
sets = ["", "depth_exponent=0.15"]
forms = ["trend", "ai2027"]
"""


@pytest.fixture(scope="module")
def folder(sweep_folder: Callable[[str], Path]) -> Path:
    return sweep_folder(TEXT)


@pytest.fixture(scope="module")
def undisturbed(folder: Path) -> Sweep:
    return sweep(folder / "sweep.toml", folder / "undisturbed")


def same(one: Sweep, other: Sweep) -> bool:
    """Whether two sweeps wrote the same table, byte for byte, and the same numbers; HDF5 notes the time."""
    tables = [found.files[0].read_bytes() for found in (one, other)]
    wholes = [xr.load_dataset(found.files[1], engine="h5netcdf") for found in (one, other)]
    return tables[0] == tables[1] and wholes[0].identical(wholes[1]) and one.results.identical(other.results)


def test_the_whole_holds_every_case_as_a_table_and_as_a_dataset(undisturbed: Sweep, folder: Path) -> None:
    found = undisturbed
    assert (found.computed, found.kept, found.damaged) == (6, 0, ())
    assert dict(found.results.sizes) == {"case": 6, "quantile": 3, "year": 3}
    table = pd.read_csv(folder / "undisturbed" / "sweep.csv", keep_default_na=False)
    assert set(zip(table["set"], table["scenario"], table["form"], strict=True)) == {
        (own, scenario, f"{form} (prior only)")  # a number of the prior says so everywhere
        for own in ("", "depth_exponent=0.15")
        for scenario, form in (("baseline", "trend"), ("software_only", "trend"), ("", "ai2027"))
    }
    written = xr.load_dataset(folder / "undisturbed" / "sweep.nc", engine="h5netcdf")
    row = table.query("case == 1 and variable == 'log10_parallel_streams' and year == '2027'")
    assert float(row["q50"].item()) == pytest.approx(
        float(written["log10_parallel_streams"].sel(case=1, quantile=0.5, year=2027)), rel=1e-9
    )
    ai2027 = written["form"].str.startswith("ai2027")
    assert written["best_year_gain"].isnull().all("quantile").values.tolist() == (~ai2027).values.tolist()


def test_the_same_command_again_computes_nothing(folder: Path, undisturbed: Sweep) -> None:
    again = sweep(folder / "sweep.toml", folder / "undisturbed")
    assert (again.computed, again.kept) == (0, 6)
    assert same(again, undisturbed)


def test_a_longer_file_computes_only_what_is_new(folder: Path, undisturbed: Sweep) -> None:
    longer = folder / "longer.toml"
    longer.write_text(TEXT.replace('sets = [""', 'sets = ["", "depth_exponent=0.2"'))
    found = sweep(longer, folder / "undisturbed")
    assert (found.computed, found.kept) == (3, 6)
    sweep(folder / "sweep.toml", folder / "undisturbed")


def test_other_levels_years_or_draws_are_computed_anew(
    folder: Path, undisturbed: Sweep, prior_run: xr.DataTree
) -> None:
    few = TEXT.replace('"", "depth_exponent=0.15"', '""').replace('"trend", "ai2027"', '"ai2027"')
    (folder / "other.toml").write_text(few)
    assert sweep(folder / "other.toml", folder / "undisturbed").kept == 1
    others = {"0.1, ": "", "2028": "2029", "[settings]": "[settings]\nhorizon_form = 'superexponential'"}
    for old, new in others.items():
        (folder / "other.toml").write_text(few.replace(old, new))
        assert sweep(folder / "other.toml", folder / "undisturbed").kept == 0
    changed = thinned(prior_run, 100).copy()
    draws = changed["posterior"].to_dataset()
    draws["depth_exponent"] = draws["depth_exponent"] + 0.001
    changed["posterior"] = xr.DataTree(draws)
    save_run(changed, folder / "changed.nc")
    (folder / "other.toml").write_text(few.replace("run.nc", "changed.nc"))
    assert sweep(folder / "other.toml", folder / "undisturbed").kept == 0


def cut_short(part: Path) -> None:
    part.write_bytes(part.read_bytes()[:-500])


def overwritten(part: Path) -> None:
    content = bytearray(part.read_bytes())
    content[-40] ^= 1  # one bit of one number
    part.write_bytes(bytes(content))


def emptied(part: Path) -> None:
    part.write_bytes(b"")


def of_another_kind(part: Path) -> None:
    part.write_text("no netCDF")


def test_damaged_parts_are_named_and_done_again(folder: Path, undisturbed: Sweep) -> None:
    damages = (cut_short, overwritten, emptied, of_another_kind)
    damaged = sorted(used(folder))[: len(damages)]
    for damage, part in zip(damages, damaged, strict=True):
        damage(part)
    again = sweep(folder / "sweep.toml", folder / "undisturbed")
    assert sorted(again.damaged) == damaged and (again.computed, again.kept) == (4, 2)
    assert same(again, undisturbed)


def used(folder: Path) -> set[Path]:
    """The parts of the sweep itself, not of the others that share the folder."""
    plan = running.read_plan(folder / "sweep.toml")
    swept = running.swept_run(plan, lambda *_: None)
    digest = running.run_digest(swept.run)
    return {running.part_path(folder / "undisturbed", running.case_digest(case, swept, digest)) for case in plan.cases}


def test_an_interrupt_keeps_what_was_done(folder: Path, undisturbed: Sweep) -> None:
    def stop(what: str, done: int, wanted: int) -> None:
        if wanted and done >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(folder / "sweep.toml", folder / "stopped", progress=stop)
    assert not (folder / "stopped" / "sweep.csv").exists()
    found = sweep(folder / "sweep.toml", folder / "stopped")
    assert found.kept >= 2 and found.kept + found.computed == 6
    assert same(found, undisturbed)


KILLED = """
import os, signal, sys
from forecast.sweeps.running import sweep

really, calls = os.replace, []

def replace(source, target):
    calls.append(target)
    if len(calls) == 3:  # two parts were written
        os.kill(os.getpid(), signal.SIGKILL)
    really(source, target)

os.replace = replace
sweep(sys.argv[1], sys.argv[2])
"""


def test_a_sweep_that_is_killed_while_it_writes_goes_on_where_it_was(folder: Path, undisturbed: Sweep) -> None:
    target = folder / "killed"
    command = [sys.executable, "-c", KILLED, str(folder / "sweep.toml"), str(target)]
    assert subprocess.run(command, check=False, timeout=600).returncode == -signal.SIGKILL
    assert len(list((target / "parts").glob("*.nc"))) == 2
    assert not (target / "sweep.csv").exists()
    found = sweep(folder / "sweep.toml", target)
    assert (found.kept, found.computed, found.damaged) == (2, 4, ())
    assert same(found, undisturbed)


@pytest.mark.parametrize("where", ["threads:2", "processes:2"])
def test_the_numbers_are_the_same_wherever_they_are_made(folder: Path, undisturbed: Sweep, where: str) -> None:
    found = sweep(folder / "sweep.toml", folder / where.partition(":")[0], executor=where)
    assert found.computed == 6
    assert same(found, undisturbed)


def test_a_case_that_cannot_be_computed_is_named_and_the_others_are_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = running.answered

    def refusing(swept: Any, group: Any) -> Any:
        return "it cannot be" if group.cases[0].form == "ai2027" else real(swept, group)

    monkeypatch.setattr(running, "answered", refusing)
    with pytest.raises(ForecastError, match=r"ai2027: it cannot be"):
        sweep(folder / "sweep.toml", folder / "refused")
    monkeypatch.undo()
    assert sweep(folder / "sweep.toml", folder / "refused").kept == 4


def test_what_cannot_be_done_is_refused_before_anything_is_computed(folder: Path) -> None:
    (folder / "norun.toml").write_text(TEXT.replace("run.nc", "none.nc"))
    with pytest.raises(DataMissingError, match="no such run file"):
        sweep(folder / "norun.toml", folder / "x")
    with pytest.raises(InputError, match="cannot be written"):
        sweep(folder / "sweep.toml", folder / "run.nc")
    with pytest.raises(InputError, match="write processes:4"):
        sweep(folder / "sweep.toml", folder / "x", executor="many")
    (folder / "years.toml").write_text(TEXT.replace("2026:2028", "2020:2021"))
    with pytest.raises(InputError, match="give years from"):
        sweep(folder / "years.toml", folder / "x")
    assert not (folder / "x").exists()


def test_draws_of_the_prior_need_no_run_file(folder: Path, prior_run: xr.DataTree) -> None:
    file = folder / "prior.toml"
    file.write_text('[prior]\ndraws = 150\nchains = 2\nseed = 1\n[settings]\nyears = "2027"\n[grid]\nforms = ["trend"]')
    found = fc.sweep(file, folder / "prior")
    trend = fc.project(prior_run, years=[2027])["log10_parallel_streams"].values.ravel()
    assert float(found.results["log10_parallel_streams"].sel(quantile=0.5).item()) == pytest.approx(np.median(trend))
