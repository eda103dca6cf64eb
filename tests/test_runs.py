"""Run files survive an interruption, explain themselves, and are refused when they are not what they should be."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr

from forecast import runs
from forecast.errors import DataMissingError, InputError
from forecast.fitting import sample_prior
from forecast.observations import Observations, load_observations
from forecast.priors import Priors
from forecast.runs import (
    check_run,
    fit_digest,
    load_draws,
    load_run,
    parameters_of,
    read_provenance,
    sample_shape,
    save_run,
)
from forecast.schema import SCHEMA_VERSION

SETTINGS = {"draws": 10, "tune": 10, "chains": 2, "random_seed": 1}


@pytest.fixture(scope="module")
def content(prior_run: xr.DataTree, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return save_run(prior_run, tmp_path_factory.mktemp("runs") / "run.nc").read_bytes()


@pytest.fixture
def saved(content: bytes, tmp_path: Path) -> Path:
    """A run file of one's own."""
    path = tmp_path / "run.nc"
    path.write_bytes(content)
    return path


READERS = pytest.mark.parametrize("load", [load_run, load_draws])


def test_draws_alone_are_the_draws_of_the_whole_file(prior_run: xr.DataTree, saved: Path) -> None:
    before, after = parameters_of(prior_run), parameters_of(load_draws(saved))
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert read_provenance(load_draws(saved)) == read_provenance(prior_run)


def test_what_is_saved_is_loaded(prior_run: xr.DataTree, saved: Path) -> None:
    loaded = load_run(saved)
    xr.testing.assert_identical(loaded, prior_run)
    assert read_provenance(loaded) == read_provenance(prior_run)
    before, after = parameters_of(prior_run), parameters_of(loaded)
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_fit_is_loaded_with_all_its_groups(run: xr.DataTree, tmp_path: Path) -> None:
    loaded = load_run(save_run(run, tmp_path / "new" / "folder" / "run.nc"))
    assert set(loaded.children) == set(run.children)
    for group in run.children:
        xr.testing.assert_identical(loaded[group].to_dataset(), run[group].to_dataset())


def test_a_loaded_run_does_not_need_its_file(saved: Path) -> None:
    loaded = load_run(saved)
    saved.unlink()
    assert np.isfinite(loaded["posterior"]["returns"].values).all()


def test_saving_replaces_the_old_file_and_leaves_nothing_else(prior_run: xr.DataTree, tmp_path: Path) -> None:
    """The new one is as readable as any new file."""
    path = tmp_path / "run.nc"
    path.write_bytes(b"old")
    usual = path.stat().st_mode
    save_run(prior_run, path)
    assert [path.name for path in tmp_path.iterdir()] == ["run.nc"]
    assert load_run(path)["posterior"].sizes["draw"] == 150
    assert path.stat().st_mode == usual


class Interrupted(BaseException):
    """Something that no handler of errors catches, such as Ctrl-C."""


@pytest.mark.parametrize(
    ("fault", "seen"), [(OSError(28, "No space left on device"), InputError), (Interrupted(), Interrupted)]
)
def test_an_interrupted_write_leaves_the_old_file_byte_for_byte(
    prior_run: xr.DataTree,
    saved: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: BaseException,
    seen: type[BaseException],
) -> None:
    old = saved.read_bytes()

    def half(path: Path, data: bytes) -> None:
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise fault

    monkeypatch.setattr("forecast.runs.write_all", half)
    with pytest.raises(seen):
        save_run(prior_run, saved)
    assert saved.read_bytes() == old
    assert [path.name for path in saved.parent.iterdir()] == ["run.nc"]


def test_a_failed_replacement_leaves_the_old_file_too(
    prior_run: xr.DataTree, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = saved.read_bytes()

    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(InputError, match=r"run\.nc: cannot be written \(Permission denied\)"):
        save_run(prior_run, saved)
    assert saved.read_bytes() == old
    assert [path.name for path in saved.parent.iterdir()] == ["run.nc"]


def test_a_folder_that_is_a_file_is_named(prior_run: xr.DataTree, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("I am a file")
    with pytest.raises(InputError, match=r"taken.*cannot be written.*-o"):
        save_run(prior_run, tmp_path / "taken" / "run.nc")
    assert (tmp_path / "taken").read_text() == "I am a file"


@READERS
def test_a_missing_file_is_named_with_a_remedy(tmp_path: Path, load: Any) -> None:
    with pytest.raises(DataMissingError, match=r"none\.nc: no such run file; make one with"):
        load(tmp_path / "none.nc")
    with pytest.raises(DataMissingError):
        load(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
@READERS
def test_a_file_cut_short_is_refused(saved: Path, content: bytes, share: float, load: Any) -> None:
    saved.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=r"run\.nc: not a readable run file .*; remake it with"):
        load(saved)


@pytest.mark.parametrize("other", [b"", b"not netCDF at all", b"\x89HDF\r\n\x1a\n", bytes(4096)])
@READERS
def test_what_is_no_netcdf_is_refused(tmp_path: Path, other: bytes, load: Any) -> None:
    path = tmp_path / "run.nc"
    path.write_bytes(other)
    with pytest.raises(InputError, match="not a readable run file"):
        load(path)


@READERS
def test_another_program_s_netcdf_is_refused(tmp_path: Path, load: Any) -> None:
    xr.Dataset({"x": ("t", [1.0, 2.0])}).to_netcdf(tmp_path / "run.nc", engine="h5netcdf")
    with pytest.raises(InputError, match="not a run of forecast"):
        load(tmp_path / "run.nc")
    with pytest.raises(InputError, match="no run of forecast"):
        read_provenance(xr.DataTree())


@READERS
def test_another_schema_is_refused_with_both_versions(saved: Path, load: Any) -> None:
    with h5py.File(saved, "a") as file:
        file.attrs["forecast"] = json.dumps(json.loads(file.attrs["forecast"]) | {"schema": SCHEMA_VERSION + 1})
    with pytest.raises(InputError, match=f"schema version {SCHEMA_VERSION + 1}, this package reads {SCHEMA_VERSION}"):
        load(saved)


@pytest.mark.parametrize("text", ["{", "[]", "{}", "3", "null"])
def test_a_damaged_record_is_refused(prior_run: xr.DataTree, text: str) -> None:
    tree = prior_run.copy()
    tree.attrs = {"forecast": text}
    with pytest.raises(InputError, match="damaged"):
        check_run(tree, Path("run.nc"))


@pytest.mark.parametrize("group", ["prior", "posterior", "constant_data"])
@READERS
def test_an_incomplete_run_is_refused_by_the_group_it_lacks(saved: Path, group: str, load: Any) -> None:
    with h5py.File(saved, "a") as file:
        del file[group]
    with pytest.raises(InputError, match=f"group '{group}' is missing"):
        load(saved)


def test_the_digest_is_of_everything_a_posterior_depends_on(
    priors: Priors, observations: Observations, tmp_path: Path
) -> None:
    base = fit_digest(priors, observations, SETTINGS)
    frame = observations.to_frame("hardware").drop(columns="year")
    frame.loc[0, "price_usd"] *= 1.01
    frame.to_csv(tmp_path / "hardware.csv", index=False)
    others = {
        "prior": fit_digest(priors.replace(returns=1.0), observations, SETTINGS),
        "table": fit_digest(priors, load_observations(tmp_path, as_of=observations.as_of), SETTINGS),
        "as_of": fit_digest(priors, load_observations(as_of="2026-10-31"), SETTINGS),
        **{key: fit_digest(priors, observations, SETTINGS | {key: value + 1}) for key, value in SETTINGS.items()},
    }
    assert len({base, *others.values()}) == 1 + len(others)
    assert fit_digest(priors, load_observations(), dict(reversed(SETTINGS.items()))) == base


@pytest.mark.parametrize("changed_name", ["SCHEMA_VERSION", "version_of", "model_digest"])
def test_the_digest_is_of_schema_version_and_model_too(
    priors: Priors, observations: Observations, monkeypatch: pytest.MonkeyPatch, changed_name: str
) -> None:
    base = fit_digest(priors, observations, SETTINGS)
    other = 99 if changed_name == "SCHEMA_VERSION" else lambda *_: "another"
    monkeypatch.setattr(runs, changed_name, other)
    assert fit_digest(priors, observations, SETTINGS) != base


def test_the_record_is_one_string_of_json(saved: Path) -> None:
    with h5py.File(saved) as file:
        assert set(file.attrs) == {"forecast", "_NCProperties"}  # the second is netCDF's own
        record = json.loads(file.attrs["forecast"])
    assert record["schema"] == SCHEMA_VERSION
    assert record["priors"]["depth_exponent"]["distribution"] == "TruncatedNormal"


def test_parameters_are_draws_of_all_chains_in_order(prior_run: xr.DataTree) -> None:
    p = parameters_of(prior_run)
    assert sample_shape(prior_run) == (2, 150)
    posterior = prior_run["posterior"]
    assert p["returns"].shape == (300,)
    np.testing.assert_array_equal(p["returns"], posterior["returns"].values.ravel())
    assert p["loss_shares"].shape == (300, 3)
    np.testing.assert_array_equal(p["loss_shares"][157], posterior["loss_shares"].values[1, 7])
    assert p["depth_family_variate"].shape == (300, posterior.sizes["family"])
    assert np.ndim(p["as_of_year"]) == np.ndim(p["taste_ceiling"]) == 0
    assert "horizon_years" not in p
    assert all(value.flags.c_contiguous for value in p.values() if np.ndim(value))


def test_the_order_of_dims_in_a_file_does_not_matter(prior_run: xr.DataTree) -> None:
    turned = prior_run.copy()
    turned["posterior"] = xr.DataTree(prior_run["posterior"].to_dataset().transpose(..., "draw", "chain"))
    before, after = parameters_of(prior_run), parameters_of(turned)
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_prior_run_is_another_run_when_its_seed_is(priors: Priors, observations: Observations) -> None:
    first, other = (sample_prior(priors, observations, draws=2, chains=2, random_seed=seed) for seed in (1, 2))
    assert read_provenance(first)["digests"]["fit"] != read_provenance(other)["digests"]["fit"]
