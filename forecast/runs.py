"""Run files: one netCDF DataTree with everything needed to project, explain and reproduce; no PyMC.

A file is written beside its place and moved there, so that an interruption leaves the old file or the new one.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from forecast.errors import DataMissingError, InputError, clear
from forecast.observations import Observations
from forecast.priors import Priors
from forecast.run_files import foreign, seal, seal_broken, wrong_record
from forecast.schema import ALTERNATIVES, PRODUCTION, SCHEMA_VERSION, STATED

DRAWS = ("posterior", "constant_data")
ANSWERS = "answers"  # attribute with what the report answers besides
EVIDENCE = "evidence"  # attribute with what each block of observations does to the answers
CHECKS = "checks"  # attribute with what `forecast check` found
PRINTED = "printed"  # attribute with what the main job printed, and the digests of the files it wrote beside
OWN_ATTRIBUTES = ("forecast", ANSWERS, EVIDENCE, CHECKS, PRINTED)
EITHER = {*ALTERNATIVES, *ALTERNATIVES.values(), *PRODUCTION}  # stated in one way or in another
NEEDED = tuple(name for name in STATED if name not in EITHER)
CONSTANTS = ("as_of_year", "horizon_years")
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
    partial = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
        os.close(handle)
        run.to_netcdf(partial, engine="h5netcdf")
        seal(partial)
        os.chmod(partial, 0o666 & ~umask())
        os.replace(partial, target)
    except OSError as error:
        raise InputError(
            f"{target}: cannot be written ({error.strerror or error}): choose another folder with -o"
        ) from error
    finally:
        if partial is not None and os.path.exists(partial):
            os.unlink(partial)
    return target


def umask() -> int:
    """The process's file mode creation mask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


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


def check_file(file: Path) -> None:
    """Refuse a file that was damaged after it was written, or that is more than numbers in one file; little is read.

    Raises
    ------
    InputError
    """
    remake = f"remake it with: forecast run -o {file.parent}"
    try:
        if seal_broken(file):
            raise InputError(f"{file}: damaged: its content is not what was written; {remake}")
        strange = foreign(file)
    except InputError:
        raise
    except Exception as error:  # whatever HDF5 makes of a damaged file
        raise unreadable(file, error) from error
    if strange:
        raise InputError(clear(f"{file}: no run file: it {strange}; {remake}"))


def unreadable(file: Path, error: Exception) -> InputError:
    """The refusal of a file that is no netCDF file, or is cut short."""
    said = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
    reason = "no netCDF file at all" if "file signature not found" in said else said
    return InputError(
        clear(f"{file}: not a readable run file ({reason}); remake it with: forecast run -o {file.parent}")
    )


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
            attrs = {name: content.attrs[name] for name in content.attrs if name in OWN_ATTRIBUTES}
            groups = {name: variables_of(content[name]) if name in DRAWS else xr.Dataset() for name in content}
    except Exception:  # whatever a reader makes of a damaged file
        return load_run(file)  # says what is wrong
    run = xr.DataTree.from_dict(groups)
    run.attrs = attrs
    check_run(run, file)
    return run


def variables_of(group: Any) -> xr.Dataset:
    """Numbers and dims of a netCDF group, ten times faster than with their coordinates and attributes."""
    found = {name: item for name, item in group.items() if not item.is_scale}
    dims = {name: [axis[0].name.rsplit("/", 1)[-1] for axis in item.dims] for name, item in found.items()}
    return xr.Dataset({name: (dims[name], item[()]) for name, item in found.items()})


def check_run(run: xr.DataTree, file: Path) -> None:
    """Refuse a file that is not a complete run of this schema."""
    remake = f"remake it with: forecast run -o {file.parent}"
    text = run.attrs.get("forecast")
    if not isinstance(text, str):
        raise InputError(f"{file}: a netCDF file, but not a run of forecast (no attribute 'forecast'); {remake}")
    try:
        record = json.loads(text)
        schema = record["schema"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{file}: its attribute 'forecast' is damaged; {remake}") from error
    if schema != SCHEMA_VERSION:
        raise InputError(f"{file}: schema version {schema}, this package reads {SCHEMA_VERSION}; {remake}")
    missing = [group for group in ("prior", "posterior", "constant_data") if group not in run.children]
    if missing:
        raise InputError(f"{file}: group {missing[0]!r} is missing, the file is incomplete; {remake}")
    wrong = wrong_record(record)
    if wrong:
        raise InputError(clear(f"{file}: its attribute 'forecast' is damaged: {wrong}; {remake}"))
    wrong = wrong_draws(run)
    if wrong:
        raise InputError(clear(f"{file}: {wrong}; {remake}"))


def wrong_draws(run: xr.DataTree) -> str:
    """What keeps the draws of a run from being projected; empty if nothing does."""
    draws, constants = run["posterior"].to_dataset(), run["constant_data"].to_dataset()
    if not (draws.sizes.get("chain") and draws.sizes.get("draw")):
        return "group 'posterior' has no draws, the file is incomplete"
    numbers = {str(name): array for group in (draws, constants) for name, array in group.data_vars.items()}
    text = [name for name, array in numbers.items() if array.dtype.kind not in "iuf"]
    if text:
        return f"{text[0]!r} holds no numbers"
    flat = [str(name) for name, array in draws.data_vars.items() if array.dims[:2] != ("chain", "draw")]
    if flat:
        return f"{flat[0]!r} is not by chain and draw"
    lacking = [name for name in (*NEEDED, *CONSTANTS) if name not in numbers]
    if lacking:
        return f"{lacking[0]!r} is missing, the file is incomplete or older than this package"
    wide = [name for name, value in STATED.items() if name in draws and draws[name].ndim != 2 + len(value.dims)]
    return f"{wide[0]!r} has other dims than a run has" if wide else ""


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
