"""Run files: one netCDF DataTree with everything needed to project, explain and reproduce; no PyMC.

A file is made in memory, written beside its place and moved there: an interruption leaves the old file or the new one, and
a full disk is met by Python, not by the HDF5 library, which may crash on it.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from forecast.errors import DataMissingError, InputError
from forecast.observations import Observations
from forecast.priors import Priors
from forecast.run_files import check_file, check_run, seal, unreadable
from forecast.schema import SCHEMA_VERSION
from forecast.whole_files import replacing, write_all

DRAWS = ("posterior", "constant_data")
ANSWERS = "answers"  # attribute with what the report answers besides
EVIDENCE = "evidence"  # attribute with what each block of observations does to the answers
CHECKS = "checks"  # attribute with what `forecast check` found
PRINTED = "printed"  # attribute with what the main job printed, and the digests of the files it wrote beside
OWN_ATTRIBUTES = ("forecast", ANSWERS, EVIDENCE, CHECKS, PRINTED)
LIBRARIES = ("forecast", "pymc", "pytensor", "nutpie", "numba", "numpy", "scipy", "xarray", "arviz")


def fit_digest(priors: Priors, observations: Observations, settings: dict[str, Any]) -> str:
    """SHA-256 of what a posterior depends on: priors, tables, sampler settings, schema, package version and model."""
    content = [priors.digest, observations.digest, settings, SCHEMA_VERSION, version_of("forecast"), model_digest()]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@cache
def model_digest() -> str:
    """SHA-256 of the sources that define the model, so that an edited model never reuses an old posterior."""
    package = Path(__file__).parent
    files = sorted(file for room in ("equations", "model") for file in (package / room).glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def version_of(package: str) -> str:
    """Installed version, or "unknown"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def provenance(priors: Priors, observations: Observations, settings: dict[str, Any], kind: str) -> dict[str, Any]:
    """What the root attribute of a run file says: schema, versions, settings, resolved priors, digests."""
    return {
        "schema": SCHEMA_VERSION,
        "kind": kind,
        "versions": {name: version_of(name) for name in LIBRARIES},
        "settings": settings,
        "as_of": observations.as_of.isoformat(),
        "priors": {name: prior.statement | {"distribution": prior.distribution} for name, prior in priors.items()},
        "digests": {
            "priors": priors.digest,
            "tables": observations.digests,
            "model": model_digest(),
            "fit": fit_digest(priors, observations, settings),
        },
    }


def with_provenance(tree: xr.DataTree, record: dict[str, Any]) -> xr.DataTree:
    """The tree with its provenance as one JSON string."""
    tree.attrs = dict(tree.attrs) | {"forecast": json.dumps(record, sort_keys=True)}
    return tree


def read_provenance(run: xr.DataTree) -> dict[str, Any]:
    """The provenance of a run.

    Raises
    ------
    InputError
        If the tree is not a run.
    """
    text = run.attrs.get("forecast")
    if text is None:
        raise InputError(
            "this DataTree is no run of forecast: it lacks the attribute 'forecast'; make one with forecast run"
        )
    record: dict[str, Any] = json.loads(text)
    return record


def save_run(run: xr.DataTree, path: str | PathLike[str]) -> Path:
    """Write a run; the old file stays until the new one is complete.

    Parameters
    ----------
    run : xarray.DataTree
        What `fit` or `sample_prior` returns.
    path : path
        Where to; folders are made.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    InputError
        If the folder cannot be written.

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.sample_prior(fc.load_priors(), fc.load_observations(), draws=20, chains=2)
    >>> fc.save_run(run, "prior/run.nc")  # doctest: +SKIP
    """
    target = Path(path)
    try:
        with memoryview(run.to_netcdf(engine="h5netcdf")) as data, replacing(target) as partial:
            write_all(partial, data)
            seal(partial)
    except OSError as error:
        raise InputError(
            f"{target}: cannot be written ({error.strerror or error}): choose another folder with -o"
        ) from error
    return target


def load_run(path: str | PathLike[str]) -> xr.DataTree:
    """Read a run file into memory.

    Parameters
    ----------
    path : path
        A run file, as `save_run` writes it.

    Returns
    -------
    xarray.DataTree
        The run.

    Raises
    ------
    DataMissingError
        If there is no such file.
    InputError
        If it is no netCDF file, is cut short, is not a run, or has another schema version.

    Examples
    --------
    >>> import forecast as fc
    >>> fc.project(fc.load_run("forecast-out/run.nc"))  # doctest: +SKIP
    """
    file = present(Path(path))
    check_file(file)
    try:
        run = xr.load_datatree(file, engine="h5netcdf")
    except Exception as error:  # whatever a reader makes of a damaged file
        raise unreadable(file, error) from error
    check_run(run, file)
    run.attrs.pop("_NCProperties", None)  # the netCDF library's own note
    return run


def present(file: Path) -> Path:
    """The path of a run file that is there.

    Raises
    ------
    DataMissingError
        If there is no such file, or a folder of that name.
    """
    if file.is_dir():
        inside = file / "run.nc"
        remedy = (
            f"name its run file, {inside}" if inside.is_file() else f"make a run there with: forecast run -o {file}"
        )
        raise DataMissingError(f"{file}: is a folder, not a run file: {remedy}")
    if not file.is_file():
        raise DataMissingError(f"{file}: no such run file; make one with: forecast run -o {file.parent or '.'}")
    return file


def load_draws(path: str | PathLike[str]) -> xr.DataTree:
    """The draws and constants of a run file alone: enough to project, in a fifth of the time of `load_run`.

    Raises
    ------
    DataMissingError, InputError
        As `load_run`.
    """
    import h5py

    file = Path(path)
    if not file.is_file():
        return load_run(file)
    check_file(file)
    try:
        with h5py.File(file) as content:
            attrs = own_attributes(content)
            groups = {name: variables_of(content[name]) if name in DRAWS else xr.Dataset() for name in content}
    except Exception:  # whatever a reader makes of a damaged file
        return load_run(file)  # says what is wrong
    run = xr.DataTree.from_dict(groups)
    run.attrs = attrs
    check_run(run, file)
    return run


def own_attributes(content: Any) -> dict[str, Any]:
    """What an open run file says of itself."""
    return {name: content.attrs[name] for name in content.attrs if name in OWN_ATTRIBUTES}


def variables_of(group: Any) -> xr.Dataset:
    """Numbers and dims of a netCDF group, ten times faster than with their coordinates and attributes."""
    found = {name: item for name, item in group.items() if not item.is_scale}
    dims = {name: [axis[0].name.rsplit("/", 1)[-1] for axis in item.dims] for name, item in found.items()}
    return xr.Dataset({name: (dims[name], item[()]) for name, item in found.items()})


def parameters_of(run: xr.DataTree, group: str = "posterior") -> dict[str, Any]:
    """Parameters and constants by the names of ``forecast.schema``: arrays (draw, ...) over all chains, or scalars."""
    stacked = run[group].to_dataset().stack(sample=("chain", "draw"), create_index=False).transpose("sample", ...)
    p: dict[str, Any] = {str(name): np.ascontiguousarray(array.values) for name, array in stacked.data_vars.items()}
    constants = run["constant_data"].to_dataset()
    return {str(name): array.values[()] for name, array in constants.data_vars.items() if array.ndim == 0} | p


def sample_shape(run: xr.DataTree, group: str = "posterior") -> tuple[int, int]:
    """Number of chains and of draws per chain."""
    sizes = run[group].sizes
    return int(sizes["chain"]), int(sizes["draw"])
