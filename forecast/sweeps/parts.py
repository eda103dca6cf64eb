"""What a sweep writes: one small netCDF file per case, named by a digest of all that it depends on, and both wholes.

A part is written beside its place and moved there. It carries a checksum, so that one that was damaged later is found.
``tests/sweeps/test_parts.py`` damages them.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from forecast.errors import InputError
from forecast.overlays import Overlay
from forecast.places import sources_digest
from forecast.reporting.forecasts import marked
from forecast.runs import save_run
from forecast.schema import EVENTS, READOUTS, YEARLY
from forecast.summaries import csv_text, quantile_column, write_text
from forecast.sweeps.cases import REACHED, Swept
from forecast.sweeps.plans import Case

PARTS = "parts"
TABLE, WHOLE = "sweep.csv", "sweep.nc"
CHECKSUM = "checksum"
AXES = ("view", "set", "preset", "scenario", "form")
NOT_DEFINED = "NaN where the form of a case does not define it, or no draw reaches full automation"


def run_digest(run: xr.DataTree) -> str:
    """SHA-256 of the draws of a run, its constants, and the part of its record that forecasts read."""
    record = json.loads(run.attrs["forecast"])
    read = {
        name: record.get(name) for name in ("priors", "settings", "as_of", "views", "thinned", "draws_before_thinning")
    }
    found = hashlib.sha256(json.dumps(read, sort_keys=True).encode())
    for group in ("posterior", "constant_data"):
        found.update(values_digest(run[group].to_dataset()).encode())
    return found.hexdigest()


def values_digest(data: xr.Dataset) -> str:
    """SHA-256 of names, dims, numbers and what is said of them."""
    found = hashlib.sha256()
    for name in sorted(map(str, data.variables)):
        one = data.variables[name]
        said = sorted((key, str(value)) for key, value in one.attrs.items() if key in ("units", "definition"))
        found.update(json.dumps([name, one.dims, one.shape, said]).encode())
        kind = one.dtype.kind
        found.update(np.ascontiguousarray(one.values, dtype="<f8" if kind in "fiub" else str).tobytes())
    return found.hexdigest()


def case_digest(case: Case, swept: Swept, run: str) -> str:
    """SHA-256 of everything that the answers of a case depend on; `run` is the digest of the run."""
    content = [
        run,
        sources_digest(),
        [swept.years, swept.levels, swept.horizon_form],
        [case.scenario, case.form, case.preset, [stated(overlay) for overlay in case.overlays]],
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def stated(overlay: Overlay) -> list[Any]:
    """What an overlay states, wherever it stands; views and what is set differ for presets."""
    return [overlay.kind, {name: [prior.distribution, prior.statement] for name, prior in overlay.entries.items()}]


def part_path(folder: Path, digest: str) -> Path:
    """Where the part of a case is."""
    return folder / PARTS / f"{digest[:32]}.nc"


def write_part(data: xr.Dataset, path: Path) -> Path:
    """Write the answers of a case; an interruption leaves nothing or the whole."""
    bare = data.assign_attrs({CHECKSUM: values_digest(data)})
    return write_text(path, bytes(bare.to_netcdf(engine="scipy", format="NETCDF3_64BIT")))


def read_part(path: Path) -> xr.Dataset | None:
    """The answers of a case; None where the file is damaged."""
    try:
        data = xr.load_dataset(path, engine="scipy")
    except Exception:  # whatever a reader makes of a file that is cut short or overwritten
        return None
    return data if data.attrs.pop(CHECKSUM, None) == values_digest(data) else None


def whole(cases: Sequence[Case], parts: Sequence[xr.Dataset], marks: Sequence[str] = ()) -> xr.Dataset:
    """All cases as one Dataset, dims (case, quantile, year); the forms are marked with what must be known of the run."""
    known: dict[str, xr.DataArray] = {}
    for part in parts:
        known = {str(name): values for name, values in part.data_vars.items()} | known
    blank = {name: np.full(values.shape, np.nan) for name, values in known.items()}
    data = {
        name: (
            ("case", *values.dims),
            np.stack([part[name].values if name in part else blank[name] for part in parts], dtype=float),
            {key: values.attrs[key] for key in ("units", "definition")},
        )
        for name, values in sorted(known.items(), key=lambda item: place(item[0]))
    }
    labels = {name: ("case", [axis(case, name) for case in cases]) for name in AXES}
    labels["form"] = ("case", [marked(case.form, marks) for case in cases])
    coords = {"case": np.arange(1, len(cases) + 1), **labels}
    for dim in ("quantile", "year"):
        coords |= {dim: next(part[dim].values for part in parts if dim in part)} if any(dim in p for p in parts) else {}
    return xr.Dataset(data, coords, {"missing": NOT_DEFINED})


def place(name: str) -> tuple[int, str]:
    """Where a variable stands among the others: in the order of the schema, what only a rival form defines last.

    >>> sorted(["year_99", "not_automated", "year_20_reached", "year_20"], key=place)
    ['year_20', 'year_20_reached', 'not_automated', 'year_99']
    """
    known = [*YEARLY, *READOUTS, *EVENTS]
    base = name.removesuffix(REACHED)
    return (known.index(base) if base in known else len(known)), name


def axis(case: Case, name: str) -> str:
    """What a case has along one axis, as one text.

    >>> axis(Case("baseline", ("finnveden2023", "mine.toml")), "view")
    'finnveden2023; mine.toml'
    """
    value: Any = {"view": case.views, "set": case.assignments}.get(name) or getattr(case, name, "")
    return value if isinstance(value, str) else "; ".join(value)


def table(data: xr.Dataset) -> pd.DataFrame:
    """The same as a table, the columns of ``summary.csv`` after those that say which case it is."""
    levels = [quantile_column(level) for level in data["quantile"].values.tolist()] if "quantile" in data else []
    labels = [{"case": i + 1} | {name: str(data[name].values[i]) for name in AXES} for i in range(data.sizes["case"])]
    frames = []
    for name in map(str, data.data_vars):
        values = data[name].transpose("case", ..., *(["quantile"] if "quantile" in data[name].dims else []))
        said = {"variable": name, "units": values.attrs["units"], "definition": values.attrs["definition"]}
        for i, label in enumerate(labels):
            frames += rows(
                values.values[i], label | said, data["year"].values if "year" in values.dims else None, levels
            )
    columns = ["case", *AXES, "variable", "year", "units", *levels, "probability", "definition"]
    frame = pd.DataFrame(frames, columns=columns).sort_values("case", kind="stable", ignore_index=True)
    return frame.astype({"year": "Int64"} | dict.fromkeys((*levels, "probability"), "float64"))


def rows(values: Any, label: Mapping[str, Any], years: Any, levels: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of one variable of one case; none where its form does not define it."""
    if np.isnan(values).all():
        return []
    if np.ndim(values) == 0:
        return [dict(label) | {"probability": float(values)}]
    if years is None:
        return [dict(label) | dict(zip(levels, values.tolist(), strict=True))]
    return [
        dict(label) | {"year": int(year)} | dict(zip(levels, row, strict=True))
        for year, row in zip(years, values.tolist(), strict=True)
    ]


def write_whole(folder: Path, data: xr.Dataset, frame: pd.DataFrame) -> list[Path]:
    """Write the combined table and the combined netCDF."""
    return [write_text(folder / TABLE, csv_text(frame)), save_run(xr.DataTree(data), folder / WHOLE)]


def check_writable(folder: Path) -> None:
    """Make the folder, or refuse it, before anything is computed.

    Raises
    ------
    InputError
        If the folder, or one of parts in it, cannot be made or written to.
    """
    try:
        (folder / PARTS).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder / PARTS).close()  # which leaves nothing, even where this is killed
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror}): choose another folder with -o") from error
