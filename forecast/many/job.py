"""The job: shares of the draws are made, computed and counted wherever there is room, and their counts added up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor

import numpy as np
import xarray as xr

from forecast.compiled_series import parameters_read
from forecast.dynamics.flow import AnyEngine
from forecast.executors import completed, executor_from
from forecast.many.atoms import effective_flop, prior_atoms
from forecast.many.checks import (
    checked_chunk,
    checked_draws,
    checked_levels,
    checked_output,
    engine_wanted,
)
from forecast.many.results import labelled
from forecast.many.work import Counts, Output, Part, Request, counts_of, empty, joined
from forecast.observations import Observations, load_observations
from forecast.priors import Priors
from forecast.progress import Progress, silent
from forecast.projection import quantities_on_trend
from forecast.results import checked_form, checked_names, checked_seed, checked_years, part_of, require_finite
from forecast.runs import read_provenance, sample_shape
from forecast.scenarios import Scenario, load_scenarios
from forecast.schema import EVENTS, READOUTS, STATED, YEARLY
from forecast.side_draws import parameters_with

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
HEADLINE = ("log10_parallel_streams", "log10_human_equivalents")
EXACT = 8_000_000  # values that are kept as they are: 64 MB


def quantiles_of(
    source: Priors | xr.DataTree,
    output: Output = "project",
    draws: float | None = None,
    *,
    scenario: str | Sequence[str] | None = None,
    years: Iterable[int] | None = None,
    var_names: Sequence[str] | None = None,
    levels: Sequence[float] = LEVELS,
    horizon_form: str = "exponential",
    observations: Observations | None = None,
    random_seed: int = 1,
    executor: str | Executor | None = None,
    chunk: int | None = None,
    engine: AnyEngine = "auto",
    progress: Progress = silent,
) -> xr.Dataset:
    """Quantiles and probabilities of as many draws as wanted, in memory that does not grow with them.

    Parameters
    ----------
    source : Priors or xarray.DataTree
        Priors, of which fresh draws are made, or a run, whose draws are used each once.
    output : {"project", "takeoff"}
        How many AIs by year, as of `project`; or how fast, as of `takeoff`.
    draws : int, optional
        A million of a prior, all of a run where not given; 1e8 is fine.
    scenario, years, horizon_form
        As for `project` and `takeoff`.
    var_names : sequence of str, optional
        Variables of ``schema.YEARLY``, or of ``schema.READOUTS`` and ``schema.EVENTS``. If None: streams and
        human-equivalents, or all of the take-off.
    levels : sequence of float
        Of the quantiles, between 0 and 1.
    observations : Observations, optional
        Tables for the constants of a prior's forecast; the shipped ones if None.
    random_seed : int
        Of a prior's draws.
    executor : str or concurrent.futures.Executor, optional
        Where the work is done: "processes:2", "threads:2", "dask:tcp://HOST:PORT"; this process if None.
    chunk : int, optional
        Draws of a task. It changes how long a task takes and how often progress is told, and no number.
    engine : {"auto", "numpy", "compiled"}
        What computes; "auto" compiles what is worth it.
    progress : callable
        Told of the draws done and of those wanted.

    Returns
    -------
    xarray.Dataset
        Variables with dims (scenario[, year], quantile) in their units; events are probabilities over all draws
        (scenario,). ``never`` and ``undefined`` (scenario, variable) are the shares of draws in which a read-out does not
        come within the window, and in which it does not exist because automation is not reached: the first are +inf in
        the quantiles, the second are left out of them. Each variable says in ``attrs`` how far bins may move its
        quantiles (``bin_error``, in ``bin_error_units``; 0 where the draws fit into memory and quantiles are exact) and
        how many draws lie beyond its bins (``outside_bins``).

    Raises
    ------
    InputError
        For more draws than a run has, or an argument that cannot be used.
    ForecastError
        If a variable is not finite where it must be.

    Notes
    -----
    Draws come in atoms of 16,384, each parameter of each with a seed of its own, and counts are whole numbers: chunks,
    executors and the order in which tasks end do not matter. The first draws of a larger number are those of a smaller one.

    Examples
    --------
    >>> import forecast as fc
    >>> found = quantiles_of(fc.load_priors(), draws=20_000, years=[2030], var_names=["automated_share"])
    >>> found.automated_share.dims, found.attrs["draws"]
    (('scenario', 'year', 'quantile'), 20000)
    """
    wanted, probabilities, seed = checked_output(output), checked_levels(levels), checked_seed(random_seed)
    chosen = load_scenarios(scenario or (("baseline", "software_only") if wanted == "takeoff" else "baseline"))
    form, known = checked_form(horizon_form), YEARLY if wanted == "project" else READOUTS | EVENTS
    names = checked_names(HEADLINE if var_names is None and wanted == "project" else var_names, known)
    number, size = checked_draws(source, draws), checked_chunk(chunk, wanted)
    tables = (observations or load_observations()) if isinstance(source, Priors) else None
    window = checked_years(years, as_of_year(source, tables))
    how = engine_wanted(engine, wanted, number, len(window), len(chosen), tables is not None)
    columns = len(names) * (len(window) if wanted == "project" else 1) * len(chosen)
    parts = [Part(start, min(start + size, number)) for start in range(0, number, size)]
    about = {"output": wanted, "draws": number, "horizon_form": form, "engine": how, "source": "prior"}
    atoms = None
    if isinstance(source, Priors):
        assert tables is not None
        read = parameters_wanted(source, tables, names, form) if (wanted, how) == ("project", "compiled") else None
        leaps = wanted == "takeoff" and leaping(chosen)
        atoms = prior_atoms(source, tables, seed, read, leaps)
        about["random_seed"] = seed
    else:
        parts = parts_of_run(source, parts, chosen)
        about["source"] = str(read_provenance(source).get("kind", "posterior"))
    exact = number * columns <= EXACT
    request = Request(wanted, tuple(names), tuple(chosen), tuple(window), form, how, exact, atoms)
    with executor_from(executor) as workers:
        total = counted(request, parts, number, workers, progress)
    return labelled(total, names, known, [item.name for item in chosen], window, probabilities, about)


def as_of_year(source: Priors | xr.DataTree, tables: Observations | None) -> float:
    """The date of the draws' data as a decimal year."""
    if isinstance(source, Priors):
        assert tables is not None
        return tables.as_of_year
    return float(source["constant_data"]["as_of_year"])


def leaping(scenarios: Sequence[Scenario]) -> bool:
    """Whether hardware leaps in one of them."""
    return any(item.course == "leap" for item in scenarios)


def parameters_wanted(priors: Priors, observations: Observations, names: Sequence[str], form: str) -> set[str]:
    """The parameters that a compiled projection of some variables reads: the others need not be drawn."""
    everything = prior_atoms(priors, observations, 0)
    known = list(dict.fromkeys([*everything.fixed, *everything.priors, *STATED, "effective_flop_centre"]))
    read = parameters_read(quantities_on_trend, known, (form,), names)
    return read | (parameters_read(effective_flop, known) if "effective_flop_centre" in read else set())


def parts_of_run(run: xr.DataTree, parts: Sequence[Part], scenarios: Sequence[Scenario]) -> list[Part]:
    """The same shares with the run's own draws in them."""
    p = parameters_with(run, *(["hardware_leap"] if leaping(scenarios) else []))
    require_finite(p)
    size = int(np.prod(sample_shape(run)))
    return [Part(part.start, part.stop, part_of(p, size, part.start, part.stop)) for part in parts]


def counted(
    request: Request, parts: Sequence[Part], draws: int, executor: Executor | None, progress: Progress
) -> Counts:
    """Counts of all shares, added up as they come."""
    total, done = empty(request), 0
    progress("drawing", 0, draws)
    for index, found in completed(counts_of, parts, executor, common=request):
        for key, part in found.items():
            joined(total[key], part)
        done += parts[index].stop - parts[index].start
        progress("drawing", done, draws)
    return total
