"""What ``forecast sensitivity`` does with files: kept evidence, tables and figures in a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from forecast import driver_plots as plots
from forecast.comparison_plots import save_figure
from forecast.drivers.evidence import evidence
from forecast.drivers.evidence_tables import Evidence, evidence_key, restored_evidence, stored_evidence
from forecast.drivers.outputs import evaluator, parsed_outputs
from forecast.drivers.pick_freeze import SobolIndices
from forecast.drivers.sensitivity import Sensitivity
from forecast.drivers.sobol import SECOND, check_on
from forecast.errors import InputError
from forecast.observations import load_observations
from forecast.progress import Progress, silent
from forecast.runs import EVIDENCE, read_provenance, save_run, with_provenance
from forecast.summaries import full_csv, write_text

Say = Callable[[str], None]


def check_request(
    run: xr.DataTree,
    outputs: Sequence[str] | None,
    scenario: str,
    years: Sequence[int] | None,
    method: str,
    on: str | None,
    with_data: bool,
) -> None:
    """Refuse what cannot be done before anything is computed.

    Raises
    ------
    InputError
        For an unknown output or scenario, Sobol indices of a posterior, or which data matter to draws of the prior.
    """
    evaluator(parsed_outputs(outputs), float(run["constant_data"]["as_of_year"]), scenario, years)
    if method == "sobol" and on is not None:
        check_on(on)
    if on == "posterior" and read_provenance(run).get("kind") == "prior":
        raise InputError("this run holds draws of the prior only: leave --on out, or fit a run with forecast run")
    if with_data and read_provenance(run).get("kind") != "posterior":
        raise InputError("draws of the prior have seen no data: fit a run with forecast run, then ask --data of it")


def second_order_inputs() -> int:
    """Inputs whose pairs are analysed: none without SALib."""
    return SECOND if find_spec("SALib") else 0


def prior_of(run: xr.DataTree) -> xr.DataTree:
    """The run with its draws of the prior in the place of those of the posterior."""
    if read_provenance(run).get("kind") == "prior":
        return run
    tree = run.copy()
    tree["posterior"] = xr.DataTree(run["prior"].to_dataset())
    return with_provenance(tree, read_provenance(run) | {"kind": "prior", "gate": None})


def evidence_of(
    file: str | Path,
    run: xr.DataTree,
    outputs: Sequence[str] | None,
    scenario: str,
    years: Sequence[int] | None,
    tables: str | None,
    say: Say,
    progress: Progress = silent,
    executor: Executor | None = None,
) -> Evidence:
    """What each block of observations does: as the run file has it, else computed and written there.

    `tables` is the folder that the run was made with, if not the shipped ones.
    """
    key = evidence_key(run, outputs, scenario, years)
    known = restored_evidence(run.attrs.get(EVIDENCE), key)
    if known is not None:
        say(f"which data matter: kept in {file}")
        return known
    seen = None if tables is None else load_observations(tables, read_provenance(run)["as_of"])
    asked: dict[str, Any] = {"outputs": outputs, "scenario": scenario, "years": years}
    found = evidence(run, observations=seen, progress=progress, executor=executor, **asked)
    run.attrs[EVIDENCE] = stored_evidence(found, key)
    save_run(run, file)
    say(f"kept in {file}")
    return found


def all_tables(
    found: Sensitivity | None, indices: SobolIndices | None, known: Evidence | None
) -> dict[str, pd.DataFrame]:
    """Every table that was asked for, by the name of its file."""
    tables = dict(found.tables()) if found else {}
    if indices:
        tables |= {f"sobol_{name}": table for name, table in indices._asdict().items()}
    if known:
        tables |= {f"evidence_{name}": getattr(known, name) for name in ("steps", "information", "fits")}
    return tables


def write_drivers(
    folder: Path, found: Sensitivity | None, indices: SobolIndices | None, known: Evidence | None
) -> list[Path]:
    """Write every table as CSV and every figure as SVG."""
    paths = [
        write_text(folder / f"{name}.csv", full_csv(table))
        for name, table in all_tables(found, indices, known).items()
        if not table.empty
    ]
    for name, draw in figures(found, known).items():
        paths.append(save_figure(draw(), folder / f"{name}.svg"))
    return paths


def figures(found: Sensitivity | None, known: Evidence | None) -> dict[str, Callable[[], Axes]]:
    """A function per figure, by the name of its file."""
    drawn: dict[str, Callable[[], Axes]] = {}
    if found is not None:
        for output in found.outputs["output"]:
            name = file_name(str(output))
            drawn[f"inputs_{name}"] = partial(plots.plot_effects, found, output)
            drawn[f"blocks_{name}"] = partial(plots.plot_effects, found, output, "block")
            if plots.can_be_drawn(found.tornado, str(output)):
                drawn[f"tornado_{name}"] = partial(plots.plot_tornado, found, output)
    if known is not None:
        drawn |= {f"evidence_{file_name(name)}": partial(plots.plot_waterfall, known, name) for name in known.outputs}
    return drawn


def file_name(output: str) -> str:
    """An output's name as part of a file's.

    >>> file_name("year_100<=2031"), file_name("log10_parallel_streams@2031")
    ('year_100_at_most_2031', 'log10_parallel_streams_2031')
    """
    words = {"<=": "_at_most_", ">=": "_at_least_", "<": "_below_", ">": "_above_", "@": "_", "+": "", "-": "minus"}
    for sign, word in words.items():
        output = output.replace(sign, word)
    return output
