"""Parameters to simulate from, and what the tables would have shown under them.

The one thing to know: a model's prior is its prior files times its restrictions (today's caps, not automated yet), and is
empty where a row has no expectation (a world that shrinks adds no compute). Truths are drawn from just that: draws of the
prior files are taken with the probability that the restrictions give them, and counted where they are not.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from forecast.constants import constants
from forecast.equations.research import production
from forecast.errors import InputError
from forecast.observations import Observations
from forecast.priors import Priors
from forecast.runs import parameters_of
from forecast.schema import STATED

Array = npt.NDArray[np.float64]

BATCH = 512  # draws of the prior at a time; a constant, so that more replicates begin with the same ones
LEAST_ACCEPTED = 0.005  # share of a prior's draws below which it contradicts its own restrictions
RESTRICTED = "restrictions of the model"


class Truths(NamedTuple):
    """Parameters to simulate from, (replicate, ...), and what became of the draws that were not taken."""

    p: dict[str, Array]
    origin: str
    tried: int
    rejected: dict[str, int]


def truths_from_prior(
    priors: Priors, observations: Observations, blocks: Sequence[str], number: int, seed: int
) -> Truths:
    """The first `number` draws of the prior that the model of these blocks lets through.

    Raises
    ------
    InputError
        If it lets fewer than one in 200 through.
    """
    kept: list[dict[str, Array]] = []
    rejected: Counter[str] = Counter()
    missing, tried = number, 0
    for p, uniform in prior_batches(priors, observations, blocks, seed):
        reasons = turned_down(p, priors, observations, blocks, uniform)
        good = np.flatnonzero(reasons == "")
        seen = BATCH if good.size < missing else int(good[missing - 1]) + 1
        good = good[good < seen]
        kept.append({name: values[good] for name, values in p.items()})
        rejected.update(str(reason) for reason in reasons[:seen] if reason)
        missing, tried = missing - good.size, tried + seen
        if missing == 0:
            break
        if number - missing < LEAST_ACCEPTED * tried:
            raise InputError(
                f"{rejected.total()} of {tried} draws of the prior are ruled out ({in_words(rejected)}): "
                "the priors contradict the restrictions on them; look at those of compute and takeoff"
            )
    joined = {name: np.concatenate([part[name] for part in kept]) for name in kept[0]}
    return Truths(joined, "prior", tried, dict(rejected))


def prior_batches(
    priors: Priors, observations: Observations, blocks: Sequence[str], seed: int
) -> Iterator[tuple[dict[str, Array], Array]]:
    """Independent draws of all parameters, (BATCH, ...), and a uniform number beside each; without end.

    Each model has its own, lest a chance clump of one parameter's truths shows in every model that reads it.
    """
    from forecast.assembling import prior_draws

    batch, model = 0, zlib.crc32("+".join(blocks).encode())
    while True:
        words = np.random.SeedSequence(seed, spawn_key=(0x707269, model, batch))
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
    with np.errstate(all="ignore"):
        allowed = np.exp(log_restrictions(completed(p, priors), observations, blocks))
    reasons[~(uniform < allowed) & (reasons == "")] = RESTRICTED
    return reasons


def in_words(rejected: Mapping[str, int]) -> str:
    """Reasons with their numbers, the most frequent first.

    >>> in_words({"no expectation of world_compute": 2, "restrictions of the model": 30})
    'restrictions of the model 30, no expectation of world_compute 2'
    """
    return ", ".join(f"{reason} {number}" for reason, number in sorted(rejected.items(), key=lambda pair: -pair[1]))


def truths_from_posterior(run: xr.DataTree, number: int, seed: int) -> Truths:
    """Different draws of a run, picked at random.

    Raises
    ------
    InputError
        If the run has fewer.
    """
    p = parameters_of(run)
    size = int(run["posterior"].sizes["chain"] * run["posterior"].sizes["draw"])
    if number > size:
        raise InputError(f"the run has {size} draws, fewer than {number} replicates: ask for fewer")
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0x747275,)))
    chosen = rng.choice(size, number, replace=False)
    return Truths({n: p[n][chosen] for n in STATED if np.ndim(p.get(n, 0.0))}, "posterior", number, {})


def completed(p: Mapping[str, Any], priors: Priors) -> dict[str, Any]:
    """Parameters (draw, ...) with those held fixed and what a statement of research production implies."""
    from forecast.model import statements_of_production

    result = {name: prior.params["value"] for name, prior in priors.items() if prior.distribution == "fixed"} | dict(p)
    elicited = statements_of_production(priors)
    return result | (production({name: result[name] for name in elicited}) if elicited else {})


def rows_of(
    p: Mapping[str, Any],
    priors: Priors,
    observations: Observations,
    blocks: Sequence[str],
    numbers: Mapping[str, Any] | None = None,
) -> list[Any]:
    """Mean and spread of every row that the model of these blocks observes, (draw, row), in its order.

    `numbers` are the tables' constants, for those who ask often.
    """
    from forecast.model.on_draws import expected_rows

    numbers = constants(observations) if numbers is None else numbers
    size = max(np.shape(value)[0] for value in p.values())
    own = {"depth_family_variate": np.zeros((size, 0))}  # asked for even where no block reads it
    own |= completed(p, priors)
    with np.errstate(all="ignore"):  # a draw without an expectation is turned down
        return expected_rows(own, observations, numbers, blocks)


def simulated(rows: Sequence[Any], replicate: int, seed: int) -> list[Array]:
    """What one truth lets every table show, a vector (row,) for each entry of `rows`, which hold all truths."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0x6E6F69, replicate)))
    found = []
    for row in rows:
        mean, spread = row.mean[replicate], row.spread[replicate]
        noise = rng.standard_normal(mean.size) if row.nu is None else rng.standard_t(row.nu, mean.size)
        found.append(mean + spread * noise)
    return found
