"""The posterior that comes with the package: what `fit` returned for the shipped priors, tables and settings.

Only what was sampled is stored, rounded to nine digits, because random mantissas do not compress; the rest follows from
it, the tables and the seeds. It is used where the digest of priors, tables, settings, version and model is that of the
request, and never otherwise. ``tests/test_shipped.py`` holds it against a fit.
"""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from forecast.assembling import completed, fixed_and_derived, whole_posterior
from forecast.errors import DataMissingError, InputError
from forecast.observations import Observations, load_observations, load_settings
from forecast.priors import Priors, load_priors
from forecast.runs import ANSWERS, PRINTED, fit_digest, read_provenance, with_provenance
from forecast.schema import STATED
from forecast.whole_files import replace_file

SETTINGS = ("draws", "tune", "chains", "random_seed")
MANTISSA = 32  # bits kept of 52: relative error 2**-33
RECORD = ("schema", "kind", "versions", "settings", "as_of", "priors", "digests", "gate")
SEEN = ("sample_stats", "observed_data")
SCALARS = "parameters"  # all parameters without dims of their own as one array: a variable each costs 2 kB
STORED = {"zlib": True, "shuffle": True, "complevel": 9, "fletcher32": True}
NOT_OURS = "only a fit of the shipped priors, tables and settings is kept: drop the other options"
SHIPPED = "shipped"  # in the record of a run: these draws came with the package


def shipped_posterior(
    priors: Priors | None = None, observations: Observations | None = None, settings: dict[str, int] | None = None
) -> xr.DataTree:
    """The fitted run that comes with the package: what ``fit`` returns, without the minute that it takes.

    Parameters
    ----------
    priors, observations
        The shipped ones if None. Others have no posterior here: fit them.
    settings : dict, optional
        Draws, tune, chains and random_seed; the shipped ones if None.

    Returns
    -------
    xarray.DataTree
        A run. Its draws are rounded to nine digits.

    Raises
    ------
    DataMissingError
        If it was fitted to other priors, tables, settings, or with another version or model.

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.shipped_posterior()
    >>> run["posterior"].sizes["draw"]
    1000
    """
    found = shipped_run(
        priors or load_priors(),
        observations or load_observations(),
        settings or own_settings(),
    )
    if found is None:
        raise DataMissingError(
            "the posterior that comes with the package is of other priors, tables, settings, version or model: "
            "fit these with forecast fit, or fc.fit(priors, observations)"
        )
    return found


def shipped_run(
    priors: Priors, observations: Observations, settings: dict[str, int], draws_alone: bool = False
) -> xr.DataTree | None:
    """The shipped run if it was fitted to these, else None; `draws_alone` is enough to project, in a quarter of the time."""
    digest = fit_digest(priors, observations, settings)
    record = shipped_record()
    if record is None or record["digests"]["fit"] != digest:
        return None
    try:
        stored = xr.load_datatree(posterior_file(), engine="h5netcdf")
    except (OSError, ValueError, KeyError, RuntimeError):  # damaged: as good as none
        return None
    sampled = unpacked(stored)
    if draws_alone:
        groups = {
            "posterior": whole_posterior(sampled, priors, observations, settings),
            "constant_data": fixed_and_derived(priors, observations),
        }
        tree = xr.DataTree.from_dict(groups)
    else:
        told, seen = (stored[name].to_dataset() for name in SEEN)
        tree = completed(sampled, told, seen, priors, observations, settings)
    tree.attrs |= shipped_attributes()
    return with_provenance(tree, record | {SHIPPED: True})


def posterior_file() -> Path:
    """Where the shipped draws are."""
    return Path(__file__).resolve().parent / "posterior" / "draws.nc"


def answers_file() -> Path:
    """Where the report's further answers about them are."""
    return posterior_file().with_name("answers.json.gz")


def shipped_record() -> dict[str, Any] | None:
    """The provenance of the shipped run, None where it is missing or damaged."""
    import h5py

    try:
        with h5py.File(posterior_file()) as content:
            record: dict[str, Any] = json.loads(content.attrs["forecast"])
            return record if isinstance(record["digests"]["fit"], str) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def shipped_attributes() -> dict[str, str]:
    """The report's further answers and what the main job printed, with the keys of what they were made from."""
    try:
        found = json.loads(gzip.decompress(answers_file().read_bytes()))
        return {name: str(found[name]) for name in (ANSWERS, PRINTED)}
    except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error):
        return {}


def keep(run: xr.DataTree) -> tuple[Path, Path]:
    """Make a run the shipped one (for the maintainers of the package).

    Raises
    ------
    InputError
        If it is not of the shipped priors, tables and settings.
    """
    record = read_provenance(run)
    if record.get("kind") != "posterior" or record["digests"]["fit"] != shipped_digest():
        raise InputError(NOT_OURS)
    file = posterior_file()
    if not record.get(SHIPPED):
        groups = packed(run)
        encoding = {f"/{name}": dict.fromkeys(map(str, group.data_vars), STORED) for name, group in groups.items()}
        tree = with_provenance(xr.DataTree.from_dict(groups), {name: record[name] for name in RECORD})
        with memoryview(tree.to_netcdf(engine="h5netcdf", encoding=encoding)) as data:
            replace_file(file, data)
    further = {name: str(run.attrs.get(name, "")) for name in (ANSWERS, PRINTED)}
    replace_file(answers_file(), gzip.compress(json.dumps(further).encode(), 9, mtime=0))
    return file, answers_file()


def refuse_other(priors: Priors, observations: Observations, settings: dict[str, int], prior_only: bool) -> None:
    """Refuse to keep what is not made of the shipped priors, tables and settings, before anything is sampled.

    Raises
    ------
    InputError
    """
    if prior_only or fit_digest(priors, observations, settings) != shipped_digest():
        raise InputError(NOT_OURS)


def shipped_digest() -> str:
    """Digest of the fit that comes with this version of the package, or should."""
    return fit_digest(load_priors(), load_observations(), own_settings())


def own_settings() -> dict[str, int]:
    """The shipped settings of the sampler."""
    own = load_settings()
    return {name: getattr(own, name) for name in SETTINGS}


def packed(run: xr.DataTree) -> dict[str, xr.Dataset]:
    """The groups that nothing else gives back: what was sampled and how, and what it saw."""
    posterior, prior = run["posterior"].to_dataset(), run["prior"].to_dataset()
    kept = [name for name in posterior.data_vars if name in prior and posterior[name].equals(prior[name])]
    own = [name for name in posterior.data_vars if name in STATED and name not in kept]
    scalars = [name for name in own if posterior[name].ndim == 2]
    vectors = posterior[[name for name in own if name not in scalars]]
    found = {"posterior": vectors.assign({SCALARS: posterior[scalars].to_dataarray("parameter")})}
    found |= {name: run[name].to_dataset() for name in SEEN}
    found |= {name: found[name].map(rounded) for name in ("posterior", "sample_stats")}
    return {name: group.drop_attrs() for name, group in found.items()}


def unpacked(stored: xr.DataTree) -> xr.Dataset:
    """The sampled parameters, one variable each."""
    posterior = stored["posterior"].to_dataset()
    scalars = posterior[SCALARS].to_dataset("parameter")
    return posterior.drop_vars([SCALARS, "parameter"]).merge(scalars)


def rounded(values: xr.DataArray, bits: int = MANTISSA) -> xr.DataArray:
    """Floats to so many bits of their mantissa, nearest; other types as they are.

    >>> float(rounded(xr.DataArray(0.1))) == 0.1
    False
    >>> abs(float(rounded(xr.DataArray(0.1))) / 0.1 - 1.0) < 2.0**-33
    True
    """
    if values.dtype != np.float64:
        return values
    return values.copy(data=cut(values.values, bits))


def cut(values: npt.NDArray[np.float64], bits: int) -> npt.NDArray[np.float64]:
    """`rounded` of an array: its last bits become 0, so that they compress."""
    mantissa, exponent = np.frexp(values)
    scale = 2.0 ** (bits + 1)
    result: npt.NDArray[np.float64] = np.ldexp(np.round(mantissa * scale) / scale, exponent)
    return result
