"""Keep a small run file of this version of forecast: ``uv run python tests/robustness/run_files/keep.py``, at each release.

The shipped posterior, few of its draws, as ``forecast run`` writes it, compressed; and what it was projected to when it
was made. Files of earlier versions stay as they are: `tests/robustness/test_versions.py` reads them all.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from pathlib import Path

import xarray as xr

import forecast as fc
from forecast.records import described, with_forecasts
from forecast.reporting.forecasts import SCENARIOS, forecasts
from forecast.runs import read_provenance, save_run, version_of
from forecast.schema import SCHEMA_VERSION

FOLDER = Path(__file__).parent
KEPT = 3  # draws of each chain
YEARS = [2027, 2030, 2035]
LEVELS = (0.25, 0.5, 0.75)
SHOWN = ("log10_parallel_streams", "log10_human_equivalents", "automated_share")


def small_run() -> xr.DataTree:
    """Every group of a run with its first draws, explained, and with its forecasts."""
    run = fc.shipped_posterior()
    groups = {node.path: node.to_dataset(inherit=False) for node in run.subtree if node is not run}
    few = {path: data.isel(draw=slice(KEPT)) if "draw" in data.dims else data for path, data in groups.items()}
    tree = xr.DataTree.from_dict(few)
    tree.attrs = {"forecast": run.attrs["forecast"]}
    command = f"forecast run --years {YEARS[0]}:{YEARS[-1]}"
    tree = described(
        tree, fc.load_priors(), fc.load_observations(), command=command, scenarios=list(SCENARIOS), years=YEARS
    )
    found = forecasts(tree, SCENARIOS, YEARS)
    return with_forecasts(tree, found.trend, found.feedback, found.readouts)


def projected(run: xr.DataTree) -> dict[str, list[list[float]]]:
    """Quantiles of some variables by year: what a reader of the file must find."""
    found = fc.project(run, years=YEARS).squeeze("scenario")
    return {name: found[name].quantile(LEVELS, ("chain", "draw")).values.T.tolist() for name in SHOWN}


def keep() -> Path:
    run = small_run()
    target = FOLDER / f"schema{SCHEMA_VERSION}_{version_of('forecast')}.nc.gz"
    with tempfile.TemporaryDirectory() as folder:
        target.write_bytes(gzip.compress(save_run(run, Path(folder) / "run.nc").read_bytes(), 9, mtime=0))
    noted = {
        "digest": read_provenance(run)["digests"]["fit"],
        "years": YEARS,
        "levels": LEVELS,
        "quantiles": projected(run),
    }
    target.with_suffix("").with_suffix(".json").write_text(json.dumps(noted, indent=1) + "\n", encoding="utf-8")
    return target


if __name__ == "__main__":
    print(keep())
