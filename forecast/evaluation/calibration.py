"""Simulation-based calibration and recovery: truths are drawn, tables simulated from them, the model refitted to those.

The one thing to know: the model's prior is its prior file times its restrictions (the caps of today, not automated yet)
and is empty where a row has no expectation (a world that shrinks adds no compute), so that is what truths are drawn from:
draws of the prior are taken with the probability that the restrictions give them, and counted where they are not.
Everything else is one model, compiled once and refitted through its data. ``tests/evaluation/test_calibration.py`` pins
that the right model passes and a broken one does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from os import cpu_count
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from forecast.constants import constants
from forecast.equations.research import production
from forecast.errors import ForecastError, InputError
from forecast.evaluation.chains import effective_sizes, halves_rhat
from forecast.evaluation.ranks import binomial_interval, counted, covered, positions, rank_table
from forecast.observations import Observations, load_observations
from forecast.priors import Prior, Priors, load_priors
from forecast.runs import parameters_of, read_provenance
from forecast.schema import BLOCKS, STATED
from forecast.side_draws import recorded_tables
from forecast.views import support, unconstrained

Array = npt.NDArray[np.float64]
Progress = Callable[[str, int, int], None]  # what is under way, replicates done, replicates wanted

REPLICATES = 200
DRAWS, TUNE = 400, 400  # of the one chain of a refit
ATTEMPTS = 3  # a chain that did not settle is drawn again, as the gate asks of a user; which ones says nothing of the truth
BATCH = 512  # draws of the prior at a time; a constant, so that more replicates begin with the same ones
LEAST_ACCEPTED = 0.005  # share of a prior's draws below which it contradicts its own restrictions
LIKELIHOOD = "log likelihood"  # a test quantity besides the parameters: it alone sees a posterior that ignores the data
JOINT = "joint"
UNSETTLED_RHAT, FEW_DRAWS = 1.05, 50.0  # of a replicate's worst parameter, beyond which it is counted as unsettled
LEVELS = np.arange(1, 400) / 400.0  # quantile levels from which the spread of a prior is taken


class Entry(NamedTuple):
    """One number that is ranked: a parameter, or an element of one."""

    label: str
    parameter: str
    index: tuple[int, ...]


class Truths(NamedTuple):
    """Parameters to simulate from, (replicate, ...), and what became of the draws that were not taken."""

    p: dict[str, Array]
    origin: str
    tried: int
    rejected: dict[str, int]


class Refit(NamedTuple):
    """A model of some blocks, compiled once, with what it takes to simulate its data."""

    name: str
    blocks: tuple[str, ...]
    priors: Priors
    observations: Observations
    compiled: Any
    rows: dict[str, tuple[str, ...]]
    entries: tuple[Entry, ...]


class Calibration(NamedTuple):
    """What the refits of one model found.

    Attributes
    ----------
    name : str
        The block, or "joint".
    origin : str
        Where the truths are from: "prior" (calibration) or "posterior" (recovery).
    ranked : xarray.Dataset
        dims (replicate, parameter): ``position`` of the truth among its draws (0..1), ``kept`` draws that were used,
        ``error`` (posterior mean less truth, in posterior standard deviations), ``contraction`` (1 less the variance
        left of the prior's), both on the whole line; dim (replicate): ``divergences``, ``max_rhat`` and ``min_ess`` of
        the chain. Replicates that could not be sampled are not in it.
    tried, rejected
        Draws taken to find the truths, and how many were turned down, by reason.
    failed : dict
        Replicate -> why its refit gave no draws.
    settings : dict
    seconds : float
        Wall clock, compiling included.
    """

    name: str
    origin: str
    ranked: xr.Dataset
    tried: int
    rejected: dict[str, int]
    failed: dict[int, str]
    settings: dict[str, int]
    seconds: float


class Replicate(NamedTuple):
    """One refit: a row of each variable of `Calibration.ranked`, or why there is none."""

    position: Array
    kept: npt.NDArray[np.int64]
    error: Array
    contraction: Array
    divergences: int
    max_rhat: float
    min_ess: float
    attempts: int


UNITS = {
    "position": ("1", "place of the truth among its draws: 0 below all, 1 above all"),
    "kept": ("draws", "nearly independent draws among which the truth was placed"),
    "error": ("posterior sd", "posterior mean less truth, on the whole line"),
    "contraction": ("1", "share of the prior's variance that the data removed, on the whole line; 0 without a prior"),
    "divergences": ("draws", "divergent transitions after tuning"),
    "max_rhat": ("1", "largest R-hat between the halves of the chain"),
    "min_ess": ("draws", "smallest bulk effective sample size"),
    "attempts": ("1", "refits until the chain settled, each tuned twice as long as the one before"),
}


def sbc(
    priors: Priors | None = None,
    observations: Observations | None = None,
    blocks: str | Sequence[str] = BLOCKS,
    *,
    replicates: int = REPLICATES,
    draws: int = DRAWS,
    tune: int = TUNE,
    random_seed: int = 1,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Calibration:
    """Simulation-based calibration: are the posteriors right, on average over what the prior holds possible?

    Truths are drawn from the prior, tables simulated from them at the covariates of the tables given, and the model
    refitted; where truths lie among the draws of their posterior is uniform if prior, model and sampler agree (Talts et
    al. 2018; Modrák et al. 2023, who add the log likelihood as a test quantity).

    Parameters
    ----------
    priors, observations
        The shipped ones if None. Rows and covariates are those of the tables; what they observe is simulated, held
        conditions too.
    blocks : str or sequence of str
        A block's name, or the blocks of one model; all of them make the joint model.
    replicates : int
    draws, tune : int
        Of the one chain of a refit.
    random_seed : int
        Same seed, same numbers, whatever `workers`; more replicates begin with the same ones.
    workers : int, optional
        Refits at a time; as many as there are cores if None.
    progress : callable, optional
        Told the name, the replicates done and those wanted: first with none done, before compiling.

    Raises
    ------
    InputError
        For an unknown block, settings below 1, censored rows, or a prior that its restrictions all but rule out.

    Examples
    --------
    >>> found = sbc(blocks="depth_scaling", replicates=40)  # doctest: +SKIP
    >>> summary_table(found).query("verdict != 'fine'")  # doctest: +SKIP
    """
    priors = load_priors() if priors is None else priors
    observations = load_observations() if observations is None else observations
    chosen = (blocks,) if isinstance(blocks, str) else tuple(blocks)
    settings = checked(replicates, draws, tune, random_seed)
    started = time.perf_counter()
    tell = progress or (lambda *_: None)
    tell(name_of(chosen), 0, replicates)
    truths = truths_from_prior(priors, observations, chosen, replicates, random_seed)
    model = refit(priors, observations, chosen)
    return calibrated(model, truths, settings, started, workers, tell)


def recovery(
    run: xr.DataTree,
    blocks: str | Sequence[str] = BLOCKS,
    *,
    replicates: int = REPLICATES,
    draws: int = DRAWS,
    tune: int = TUNE,
    random_seed: int = 1,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Calibration:
    """Parameter recovery at realistic sizes: as `sbc`, with truths drawn from a fitted run's posterior.

    Tables are those that the run was fitted to. Intervals hold the truth at their nominal rate on average over the
    prior; near one posterior the rate is nominal only where the data outweigh the prior, higher where both agree and
    lower where they pull apart. `recovery_table` gives the shares.

    Parameters
    ----------
    run : xarray.DataTree
        From `forecast.fit` or `forecast.load_run`.

    Raises
    ------
    InputError
        For a run of the prior alone or seen through a view, fewer draws than replicates, and as `sbc`.
    """
    from forecast.drivers.evidence import recorded_priors

    record = read_provenance(run)
    if record["kind"] != "posterior" or record.get("views"):
        raise InputError("recovery draws its truths from a fitted posterior: fit a run with forecast fit")
    chosen = (blocks,) if isinstance(blocks, str) else tuple(blocks)
    settings = checked(replicates, draws, tune, random_seed)
    started = time.perf_counter()
    tell = progress or (lambda *_: None)
    tell(name_of(chosen), 0, replicates)
    truths = truths_from_posterior(run, replicates, random_seed)
    model = refit(recorded_priors(record), recorded_tables(record), chosen)
    return calibrated(model, truths, settings, started, workers, tell)


def checked(replicates: int, draws: int, tune: int, random_seed: int) -> dict[str, int]:
    """The settings of all refits, or InputError."""
    from forecast.fitting import sampler_settings

    if replicates < 1:
        raise InputError(f"replicates = {replicates}: give a positive number")
    if draws < FEW_DRAWS:
        raise InputError(f"draws = {draws}: give at least {FEW_DRAWS:.0f}, among which a truth can be placed")
    return sampler_settings(draws=draws, tune=tune, chains=1, random_seed=random_seed) | {"replicates": replicates}


def name_of(blocks: Sequence[str]) -> str:
    """What a model of these blocks is called."""
    return JOINT if set(blocks) == set(BLOCKS) else "+".join(blocks)


def refit(priors: Priors, observations: Observations, blocks: Sequence[str]) -> Refit:
    """The model of some blocks, compiled once."""
    from forecast.fitting import compiled_model, interrupts_kept, parameters_in
    from forecast.model import build_model

    refuse_censored(observations, blocks)
    model = build_model(priors, observations, tuple(blocks))
    with interrupts_kept() as interrupted:
        compiled = compiled_model(model)
        interrupted()
    rows = {name: tuple(model.coords[f"{name}_row"]) for name in ("scattered", "held") if f"{name}_row" in model.coords}
    names = [name for name in STATED if name in parameters_in(model)]
    entries = tuple(entry for name in names for entry in entries_of(name, model.coords))
    return Refit(name_of(blocks), tuple(blocks), priors, observations, compiled, rows, entries)


def refuse_censored(observations: Observations, blocks: Sequence[str]) -> None:
    """Raise InputError where a row is a bound: what it would observe cannot be simulated."""
    if "task_horizon" in blocks and (observations["time_horizons"]["censored"].values > 0).any():
        raise InputError(
            "time_horizons has censored rows, whose suite of tasks cannot be simulated: leave them out for sbc, or choose "
            "blocks without task_horizon"
        )


def entries_of(name: str, labels: Mapping[str, Any]) -> list[Entry]:
    """The numbers of a parameter: one, or one per label of its dim."""
    if not STATED[name].dims:
        return [Entry(name, name, ())]
    (dim,) = STATED[name].dims
    return [Entry(f"{name}[{label}]", name, (i,)) for i, label in enumerate(labels[dim])]


def truths_from_prior(
    priors: Priors, observations: Observations, blocks: Sequence[str], number: int, seed: int
) -> Truths:
    """The first `number` draws of the prior that the model's restrictions let through."""
    kept: list[dict[str, Array]] = []
    rejected: dict[str, int] = {}
    found = tried = 0
    for p, uniform in prior_batches(priors, observations, seed):
        reasons = turned_down(p, priors, observations, blocks, uniform)
        good = np.flatnonzero(reasons == "")
        last = int(good[number - found - 1]) + 1 if good.size >= number - found else BATCH
        good = good[good < last]
        for reason in reasons[:last][reasons[:last] != ""]:
            rejected[str(reason)] = rejected.get(str(reason), 0) + 1
        kept.append({name: values[good] for name, values in p.items()})
        found, tried = found + good.size, tried + last
        if found == number:
            break
        if found < LEAST_ACCEPTED * tried:
            raise InputError(
                f"{tried - found} of {tried} draws of the prior are ruled out ({reasons_in_words(rejected)}): "
                "priors and restrictions contradict each other; look at the priors of compute and takeoff"
            )
    whole = {name: np.concatenate([part[name] for part in kept]) for name in kept[0]}
    return Truths(whole, "prior", tried, rejected)


def prior_batches(priors: Priors, observations: Observations, seed: int) -> Iterator[tuple[dict[str, Array], Array]]:
    """Independent draws of all parameters, (BATCH, ...), and a uniform number beside each; without end."""
    from forecast.fitting import prior_draws

    batch = 0
    while True:
        words = np.random.SeedSequence(seed, spawn_key=(0x707269, batch))
        settings = {"chains": 1, "draws": BATCH, "random_seed": int(words.generate_state(1, np.uint64)[0] >> 1)}
        drawn = prior_draws(priors, observations, settings)
        yield {str(name): one.values[0] for name, one in drawn.items()}, np.random.default_rng(words).random(BATCH)
        batch += 1


def turned_down(
    p: Mapping[str, Array], priors: Priors, observations: Observations, blocks: Sequence[str], uniform: Array
) -> npt.NDArray[Any]:
    """Why each draw of the prior is no truth, (draw,); empty where it is one."""
    from forecast.model.on_draws import log_restrictions

    reasons = np.full(uniform.size, "", dtype=object)
    for row in rows_of(p, priors, observations, blocks):
        bad = ~(np.isfinite(row.mean) & np.isfinite(row.spread) & (row.spread > 0.0)).all(axis=1)
        reasons[bad & (reasons == "")] = f"no expectation of {row.name}"
    allowed = np.exp(log_restrictions(whole(p, priors, observations), observations, blocks))
    reasons[~(uniform < allowed) & (reasons == "")] = "restrictions of the model"
    return reasons


def reasons_in_words(rejected: Mapping[str, int]) -> str:
    """Reasons with their numbers, the most frequent first."""
    return ", ".join(f"{reason} {number}" for reason, number in sorted(rejected.items(), key=lambda pair: -pair[1]))


def truths_from_posterior(run: xr.DataTree, number: int, seed: int) -> Truths:
    """Different draws of a run, picked at random."""
    p = parameters_of(run)
    size = run["posterior"].sizes["chain"] * run["posterior"].sizes["draw"]
    if number > size:
        raise InputError(f"the run has {size} draws, fewer than {number} replicates: ask for fewer")
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0x747275,)))
    chosen = rng.choice(size, number, replace=False)
    names = [name for name in STATED if np.ndim(p.get(name, 0.0))]
    return Truths({name: p[name][chosen] for name in names}, "posterior", number, {})


def whole(p: Mapping[str, Any], priors: Priors, observations: Observations) -> dict[str, Any]:
    """Parameters (draw, ...) with those that the priors hold fixed and the constants of the tables."""
    from forecast.model import statements_of_production

    held = {name: prior.params["value"] for name, prior in priors.items() if prior.distribution == "fixed"}
    result = constants(observations) | held | dict(p)
    elicited = statements_of_production(priors)
    return result | (production({name: result[name] for name in elicited}) if elicited else {})


def rows_of(p: Mapping[str, Any], priors: Priors, observations: Observations, blocks: Sequence[str]) -> list[Any]:
    """Mean and spread of every row that the model observes, (draw, row), in its order."""
    from forecast.model.on_draws import expected_rows

    numbers = constants(observations)
    size = max(np.shape(value)[0] for value in p.values())
    own = {"depth_family_variate": np.zeros((size, 0))}  # asked for even where no block reads it
    own |= {name: value for name, value in whole(p, priors, observations).items() if name not in numbers}
    with np.errstate(all="ignore"):  # a draw without an expectation is turned down
        return expected_rows(own, observations, numbers, blocks)


def simulated(rows: Sequence[Any], replicate: int, seed: int) -> list[Array]:
    """What one truth would let each table observe, one vector (row,) per entry of `rows`, which hold all truths."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0x6E6F69, replicate)))
    found = []
    for row in rows:
        mean, spread = row.mean[replicate], row.spread[replicate]
        noise = rng.standard_normal(mean.size) if row.nu is None else rng.standard_t(row.nu, mean.size)
        found.append(mean + spread * noise)
    return found


def as_data(model: Refit, rows: Sequence[Any], values: Sequence[Array]) -> dict[str, Array]:
    """Simulated tables as the vectors that the compiled model reads.

    Raises
    ------
    ForecastError
        If graph and arrays have their rows in another order.
    """
    data = {}
    for name, labels in model.rows.items():
        own = [i for i, row in enumerate(rows) if (row.nu is None) == (name == "held")]
        order = tuple(f"{rows[i].name}:{j}" for i in own for j in range(values[i].size))
        if order != labels:
            raise ForecastError(f"the {name} rows of the graph are not those of the arrays: report this as a bug")
        data[f"{name}_observed"] = np.concatenate([values[i] for i in own])
    return data


def calibrated(
    model: Refit,
    truths: Truths,
    settings: dict[str, int],
    started: float | None = None,
    workers: int | None = None,
    tell: Progress = lambda *_: None,
) -> Calibration:
    """Simulate from every truth, refit, and place the truth among the draws."""
    started = time.perf_counter() if started is None else started
    number = settings["replicates"]
    rows = rows_of(truths.p, model.priors, model.observations, model.blocks)
    spreads = np.array([prior_spread(entry, model.priors, model.observations) for entry in model.entries])

    def one(replicate: int) -> Replicate | str:
        return replicated(model, truths, rows, spreads, settings, replicate)

    found: dict[int, Replicate | str] = {}
    with ThreadPoolExecutor(workers or cpu_count() or 1) as pool:  # nutpie leaves Python while it samples
        waiting = {pool.submit(one, i): i for i in range(number)}
        try:
            for future in as_completed(waiting):
                found[waiting[future]] = future.result()
                tell(model.name, len(found), number)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    ordered = {i: found[i] for i in range(number)}
    failed = {i: value for i, value in ordered.items() if isinstance(value, str)}
    good = {i: value for i, value in ordered.items() if isinstance(value, Replicate)}
    if not good:
        raise ForecastError(f"no refit of {model.name} could be sampled: {failed[0]}")
    ranked = dataset(good, [*(entry.label for entry in model.entries), LIKELIHOOD])
    seconds = time.perf_counter() - started
    return Calibration(
        model.name, truths.origin, ranked, truths.tried, truths.rejected, failed, settings, round(seconds, 1)
    )


def replicated(
    model: Refit, truths: Truths, rows: Sequence[Any], spreads: Array, settings: dict[str, int], replicate: int
) -> Replicate | str:
    """One replicate, or why the sampler could not begin."""
    from forecast.fitting import drawn

    seed = settings["random_seed"]
    values = simulated(rows, replicate, seed)
    data = model.compiled.with_data(**as_data(model, rows, values))
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0x726570, replicate)))
    found: Replicate | str = ""
    for attempt in range(ATTEMPTS):
        own = settings | {"random_seed": int(rng.integers(2**63)), "tune": settings["tune"] * 2**attempt}
        try:
            found = placed(model, truths, drawn(data, own), values, spreads, replicate, rng)
        except (RuntimeError, ValueError) as error:
            found = str(error).splitlines()[0][:120]
        if not isinstance(found, str) and settled(found):
            return found._replace(attempts=attempt + 1)
    return found if isinstance(found, str) else found._replace(attempts=ATTEMPTS)


def settled(found: Replicate) -> bool:
    """Whether a chain is long enough to rank a truth among its draws."""
    return found.max_rhat <= UNSETTLED_RHAT and found.min_ess >= FEW_DRAWS


def placed(
    model: Refit,
    truths: Truths,
    tree: xr.DataTree,
    values: Sequence[Array],
    spreads: Array,
    replicate: int,
    rng: np.random.Generator,
) -> Replicate | str:
    """Where the truth of a replicate lies among the draws of its refit, every parameter and the log likelihood."""
    from forecast.fitting import taken_apart

    sampled = taken_apart(tree["posterior"].to_dataset())
    draws = {str(name): one.values[0] for name, one in sampled.items()}
    both = {name: np.concatenate([truths.p[name][replicate][None], draws[name]]) for name in draws}
    columns = [both[entry.parameter][(slice(None), *entry.index)] for entry in model.entries]
    table = np.stack([*columns, log_likelihood(model, both, values)], axis=1)
    truth, posterior = table[0], table[1:]
    if (np.ptp(posterior, axis=0) == 0.0).any():
        return "the chain stood still"
    sizes = effective_sizes(posterior)
    position, kept = positions(truth, posterior, sizes, rng)
    error, left = on_the_line(model, table)
    return Replicate(
        position,
        kept,
        error,
        np.append(1.0 - (left[:-1] / spreads) ** 2, 0.0),
        int(tree["sample_stats"]["diverging"].sum()),
        float(halves_rhat(posterior).max()),
        float(sizes.min()),
        1,
    )


def log_likelihood(model: Refit, p: Mapping[str, Array], values: Sequence[Array]) -> Array:
    """Log likelihood of simulated tables under the parameters, (draw,), by the blocks on arrays."""
    from forecast.model.on_draws import log_density

    rows = rows_of(p, model.priors, model.observations, model.blocks)
    total: Array = sum(
        (log_density(row._replace(observed=y)).sum(axis=1) for row, y in zip(rows, values, strict=True)),
        start=np.zeros(1),
    )
    return total


def on_the_line(model: Refit, table: Array) -> tuple[Array, Array]:
    """Posterior mean less truth in posterior standard deviations, and those, (entry,), on the whole line.

    `table` (1 + draw, entry) has the truth first and the log likelihood last.
    """
    year = model.observations.as_of_year
    ends = [ends_of(model.priors[entry.parameter], year) for entry in model.entries]
    lines = [unconstrained(table[:, i], pair) for i, pair in enumerate([*ends, (-np.inf, np.inf)])]
    whole_line = np.stack(lines, axis=1)
    spread = whole_line[1:].std(axis=0)
    return (whole_line[1:].mean(axis=0) - whole_line[0]) / spread, spread


def ends_of(prior: Prior, as_of: float) -> tuple[float, float]:
    """Range of a parameter; a share of a whole lies between 0 and 1."""
    return (0.0, 1.0) if prior.distribution == "Dirichlet" else support(prior, as_of)


def prior_spread(entry: Entry, priors: Priors, observations: Observations) -> float:
    """Standard deviation of an entry's prior on the whole line."""
    prior, year = priors[entry.parameter], observations.as_of_year
    values = np.asarray(prior.quantile(LEVELS, year))
    if prior.distribution == "Dirichlet":
        values = values[:, entry.index[0]]
    return float(unconstrained(values, ends_of(prior, year)).std())


def dataset(found: Mapping[int, Replicate], labels: Sequence[str]) -> xr.Dataset:
    """All replicates that were sampled, as `Calibration.ranked`."""
    columns = {name: np.array([getattr(one, name) for one in found.values()]) for name in Replicate._fields}
    dims = ("replicate", "parameter")
    variables = {
        name: (dims[: values.ndim], values, {"units": UNITS[name][0], "definition": UNITS[name][1]})
        for name, values in columns.items()
    }
    return xr.Dataset(variables, coords={"replicate": list(found), "parameter": list(labels)})


def summary_table(found: Calibration) -> pd.DataFrame:
    """`ranks.rank_table` of a calibration with what its refits learned: a row per parameter.

    Further columns: ``error``, the median of posterior mean less truth in posterior standard deviations, and
    ``error_spread``, half the width of its middle 68% (0 and about 1 are expected); the median ``contraction`` (0: the data say nothing, 1: all), the median number of ``draws`` used.
    """
    table = rank_table(found.ranked["parameter"].values.tolist(), counted(found.ranked["position"].values))
    table.insert(0, "model", found.name)
    errors = found.ranked["error"].values
    return table.assign(
        error=np.median(errors, axis=0),
        error_spread=(np.quantile(errors, 0.84, axis=0) - np.quantile(errors, 0.16, axis=0)) / 2.0,
        contraction=found.ranked["contraction"].median("replicate").values,
        draws=found.ranked["kept"].median("replicate").values,
    )


def recovery_table(found: Calibration, prob: float = 0.9) -> pd.DataFrame:
    """Share of intervals that held the truth: a row per parameter, and ``all`` for the model.

    Columns ``held_50``, ``low_50``, ``high_50`` and the same for 90%, with binomial intervals of probability `prob`. In
    the row ``all``, parameters of one replicate count as being as dependent as they are: the interval is that of as many
    independent cases as give the variance between replicates.
    """
    own = found.ranked.drop_sel(parameter=LIKELIHOOD)
    inside = counted(own["position"].values)
    number = own.sizes["replicate"]
    columns: dict[str, Any] = {"model": found.name, "parameter": [*own["parameter"].values.tolist(), "all"]}
    for mass in (0.5, 0.9):
        each = (np.abs(own["position"].values - 0.5) < mass / 2.0).mean(axis=1)
        share = [*covered(inside, mass), float(each.mean())]
        cases = [*[float(number)] * (len(share) - 1), independent_cases(each, own.sizes["parameter"])]
        ends = [binomial_interval(one, size, prob) for one, size in zip(share, cases, strict=True)]
        name = f"{100 * mass:.0f}"
        columns |= {f"held_{name}": share, f"low_{name}": [e[0] for e in ends], f"high_{name}": [e[1] for e in ends]}
    return pd.DataFrame(columns)


def independent_cases(shares: Array, parameters: int) -> float:
    """How many independent cases are worth the replicates, each with its share of `parameters` inside."""
    mean = float(shares.mean())
    most = float(shares.size * parameters)
    variance = float(shares.var(ddof=1)) / shares.size if shares.size > 1 else 0.0
    return min(most, mean * (1.0 - mean) / variance) if variance > 0.0 else most


def troubles(found: Calibration) -> dict[str, int]:
    """How many replicates could not be sampled, diverged, were drawn again, and had not settled even so."""
    own = found.ranked
    unsettled = (own["max_rhat"] > UNSETTLED_RHAT) | (own["min_ess"] < FEW_DRAWS)
    return {
        "replicates": int(own.sizes["replicate"]),
        "failed": len(found.failed),
        "diverged": int((own["divergences"] > 0).sum()),
        "again": int((own["attempts"] > 1).sum()),
        "unsettled": int(unsettled.sum()),
    }
