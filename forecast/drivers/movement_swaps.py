"""Two runs and the swaps between them: draws and weights with any set of changes made, each computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from forecast.drivers.changes import AS_OF, PRIOR, TABLE
from forecast.drivers.disagreement import kept_draws
from forecast.drivers.mixture_weights import difference, mixture_log_density, pareto_k, weighted_medians
from forecast.drivers.movement_plan import SHARED, Plan, players_of
from forecast.drivers.outputs import Output
from forecast.drivers.swapped_densities import (
    CONSTANTS_OF,
    LINE,
    Member,
    Members,
    Side,
    bound_by_date,
    hybrid_numbers,
    hybrid_tables,
    log_data_density,
    log_prior_densities,
    same_families,
    same_line,
)
from forecast.drivers.swaps import swap_sets
from forecast.equations.takeoff import compute_exponent
from forecast.research.compare import side_by_side
from forecast.research.reweighting import effective_draws, resampled, weights
from forecast.results import BLOCK
from forecast.schema import BLOCKS, PRODUCTION

Array = npt.NDArray[np.float64]
Draws = dict[str, Any]
REST = "not followed"  # sampling noise, settings, versions, and what reweighting misses
BUDGET = 12_000  # draws through the take-off for the swaps of both runs
LIKELIHOOD_COST = 0.3  # of a draw through all likelihoods, in draws through the take-off
FEWEST_DRAWS = 200  # of each run
RESAMPLES = 50
LEAST_EFFECTIVE, LARGEST_K = 100.0, 0.7  # weights beyond these tell nothing: a refit is needed


class Game:
    """Two runs with everything that a swap of changes needs; what is computed once is kept.

    Rows are draws of A, then of B. With nothing but exact swaps A's draws alone serve; with weights both, from the mixture
    of both posteriors; where something is not followed it is swapped too, by going over from the draws of A to those of B.
    """

    def __init__(
        self,
        a: Side,
        b: Side,
        plan: Plan,
        evaluate: Sequence[Callable[[Draws, int], dict[str, Array]]],
        runs: tuple[xr.DataTree, xr.DataTree],
        draws: int | None,
        seed: int,
    ) -> None:
        self.a, self.b, self.plan, self.evaluate, self.seed = a, b, plan, evaluate, seed
        self.fitted = any(side.record["kind"] != "prior" for side in (a, b))
        self.players = players_of(plan, a, b)
        self.names = [player.name for player in self.players] + [REST] * plan.unfollowed
        self.members = {player.name: player.members for player in self.players}
        self.data = frozenset(m for m in plan.weighted if m[0] != PRIOR)
        steady = {(TABLE, name) for kind, name in self.data if kind == TABLE and name not in CONSTANTS_OF}
        steady |= {(TABLE, "time_horizons")} if self.fitted else set()  # a fitted line stays where it was
        self.moving = (plan.exact | self.data) - steady  # what the take-off itself reads
        sets = [self.swapped(names) for names in swap_sets(self.names, random_seed=seed)]
        work = float(len({one & self.moving for one in sets}))
        work += LIKELIHOOD_COST * len({one & plan.weighted for one in sets}) if self.data else 0.0
        many = max(FEWEST_DRAWS, int(BUDGET / (2.0 * work))) if draws is None else draws
        self.kept = [kept_draws(run, many) for run in runs]
        self.sizes = [max(np.shape(x)[0] for x in side.p.values() if np.ndim(x)) for side in (a, b)]
        self.sampled = tuple(self.kept)  # of both runs, also where A's rows alone serve
        if not (plan.weighted or plan.unfollowed):
            self.kept = self.kept[:1]
        self.paired = all(
            a.record["settings"][key] == b.record["settings"][key] for key in ("random_seed", "chains", "draws")
        )
        self.paired = self.paired and self.sizes[0] == self.sizes[1]
        self.from_b = np.repeat([False, True][: len(self.kept)], [kept.size for kept in self.kept])
        self.counts = [
            resampled(size, seed + (0 if self.paired else i), RESAMPLES) for i, size in enumerate(self.sizes)
        ]
        self.row_counts = np.concatenate([self.counts[i][kept] for i, kept in enumerate(self.kept)])
        self.known = self.all_values({one & self.moving for one in sets})
        self.log_target = cache(self._log_target)
        self.log_weights = cache(self._log_weights)

    def swapped(self, names: Iterable[str]) -> Members:
        """Changes that a set of players stands for."""
        return frozenset().union(*(self.members.get(name, frozenset()) for name in names))

    def parameters(self, swapped: Members) -> Draws:
        """Parameters of every row with some changes taken from B and all others from A."""
        return side_by_side(
            [self.rows_of(i, swapped) for i in range(len(self.kept))], [kept.size for kept in self.kept]
        )

    def rows_of(self, i: int, swapped: Members) -> Draws:
        """Parameters of the rows of one run; constants of a date or table that is not followed stay its own."""
        own, other = (self.a, self.b) if i == 0 else (self.b, self.a)
        p = {name: value[self.kept[i]] if np.ndim(value) else value for name, value in own.p.items()}
        for member in self.plan.exact:
            if (member in swapped) != (i == 1):
                p |= self.borrowed(member, own, other, self.kept[i])
        followed = self.plan.exact | self.plan.weighted
        lost = {(AS_OF, AS_OF), *((TABLE, name) for name in CONSTANTS_OF)} - followed if i == 1 else frozenset()
        return same_line(p, own.numbers, hybrid_numbers(self.a, self.b, swapped | lost), self.fitted)

    def borrowed(self, member: Member, own: Side, other: Side, kept: npt.NDArray[np.intp]) -> Draws:
        """What a change brings from the other run, for some draws of one's own."""
        kind, name = member
        if kind == AS_OF:
            names = bound_by_date(other.record)
        elif kind == TABLE:
            names = []
        elif name in (*PRODUCTION, *SHARED) and any(
            x in side.record["priors"] for x in PRODUCTION for side in (own, other)
        ):
            names = [*SHARED, "compute_exponent", *PRODUCTION]
        else:
            names = [name]
        source = other.p | {"compute_exponent": compute_exponent(other.p)}
        return {
            column: taken_over(own.p.get(column, 0.0), source[column], kept, self.paired)
            for column in names
            if column in source
        }

    def all_values(self, sets: Iterable[Members]) -> dict[Members, dict[str, Array]]:
        """Outputs of every row under every set of changes."""
        if not self.plan.unfollowed:
            return self.together(sets, self.parameters, self.from_b.size)
        alone = [self.together(sets, partial(self.rows_of, i), kept.size, i) for i, kept in enumerate(self.kept)]
        return {
            one: {name: np.concatenate([rows[one][name] for rows in alone]) for name in found}
            for one, found in alone[0].items()
        }

    def together(
        self, sets: Iterable[Members], parameters: Callable[[Members], Draws], size: int, side: int = 0
    ) -> dict[Members, dict[str, Array]]:
        """Outputs of some rows; several sets of changes go through the take-off at once."""
        dated = (AS_OF, AS_OF) in self.plan.exact | self.plan.weighted
        found: dict[Members, dict[str, Array]] = {}
        for late in (False, True):
            these = sorted((one for one in sets if ((AS_OF, AS_OF) in one) == late), key=sorted)
            at_once = max(1, BLOCK // size)
            for start in range(0, len(these), at_once):
                some = these[start : start + at_once]
                p = side_by_side([parameters(one) for one in some], [size] * len(some))
                values = self.evaluate[late if dated else side](p, size * len(some))
                for i, one in enumerate(some):
                    found[one] = {name: x[i * size : (i + 1) * size] for name, x in values.items()}
        return found

    def values(self, moving: Members) -> dict[str, Array]:
        """Outputs of every row with some of the changes that the take-off reads."""
        return self.known[moving]

    def _log_target(self, weighted: Members) -> Array:
        """Log density of every row under a hybrid of both posteriors, up to what does not change."""
        p = self.parameters(weighted)
        names = [name for kind, name in self.plan.weighted if kind == PRIOR]
        if (AS_OF, AS_OF) in self.data:
            names += bound_by_date(self.a.record)
        if {(AS_OF, AS_OF), (TABLE, "time_horizons")} & self.data:
            names.append(LINE)
        of = {name: self.b if (PRIOR, name) in weighted else self.a for name in names}
        as_of = float(hybrid_numbers(self.a, self.b, weighted)["as_of_year"])
        total = np.zeros(self.from_b.size) + log_prior_densities(p, of, as_of)
        if self.data:
            blocks = BLOCKS if same_families(self.a, self.b) else [x for x in BLOCKS if x != "depth_scaling"]
            total = total + log_data_density(p, hybrid_tables(self.a, self.b, weighted), blocks)
        return np.where(np.isnan(total), -np.inf, total)

    def _log_weights(self, weighted: Members, rest: bool) -> Array:
        """Log weight of every row in a swap."""
        if not self.plan.unfollowed:
            if not self.plan.weighted:
                return np.zeros(self.from_b.size)
            none, every = self.log_target(frozenset()), self.log_target(self.plan.weighted)
            return difference(self.log_target(weighted), mixture_log_density(none, every, self.from_b))
        gain = np.zeros(self.from_b.size)
        if self.plan.weighted:
            gain = difference(self.log_target(weighted), self.log_target(self.plan.weighted if rest else frozenset()))
        return np.where(self.from_b == rest, gain, -np.inf)

    def weights(self, names: frozenset[str]) -> Array:
        """Weights of all rows in a swap."""
        return weights(self.log_weights(self.swapped(names) & self.plan.weighted, REST in names))

    def ends(self) -> tuple[dict[str, Array], dict[str, Array]]:
        """Outputs of all draws of A and of B."""
        everything = frozenset(self.moving)
        if len(self.kept) == 2 and all(kept.size == size for kept, size in zip(self.kept, self.sizes, strict=True)):
            first, second = self.values(frozenset()), self.values(everything)
            return (
                {name: x[~self.from_b] for name, x in first.items()},
                {name: x[self.from_b] for name, x in second.items()},
            )
        if len(self.kept) == 1 and self.paired and self.kept[0].size == self.sizes[0]:
            return self.values(frozenset()), self.values(everything)
        found = [
            run(dict(side.p), size) for run, side, size in zip(self.evaluate, (self.a, self.b), self.sizes, strict=True)
        ]
        return found[0], found[1]

    def measured(self, output: Output, pooled: Array, names: frozenset[str]) -> Array:
        """Mean rank and middle of an output after a swap, and of every resample: (2, 1 + resample)."""
        values = self.values(self.swapped(names) & self.moving)[output.name]
        return summary(values, self.weights(names)[:, None] * self.row_counts, pooled, output.is_event)

    def reliability(self) -> pd.DataFrame:
        """Effective draws of every swap by weights, the worst first with its k-hat."""
        if not self.plan.weighted:
            return pd.DataFrame(columns=["swapped", "effective_draws", "k_hat"])
        rows: dict[tuple[Members, bool], tuple[str, float]] = {}
        for names in swap_sets(self.names, random_seed=self.seed):
            key = self.swapped(names) & self.plan.weighted, REST in names
            if not self.plan.unfollowed and key[0] in (frozenset(), self.plan.weighted):
                continue  # the mixture covers both ends
            said = ", ".join(sorted(name for name in names if self.members.get(name, frozenset()) & self.plan.weighted))
            rows.setdefault(key, (said or "nothing", effective_draws(self.weights(names))))
        order = sorted(rows, key=lambda key: rows[key][1])
        worst = pareto_k(self.log_weights(*order[0])) if order else np.nan
        found = [(*rows[key], worst if i == 0 else np.nan) for i, key in enumerate(order)]
        return pd.DataFrame(found, columns=["swapped", "effective_draws", "k_hat"])

    def warnings(self) -> list[str]:
        """What to say where weights tell little."""
        table = self.reliability()
        if table.empty:
            return []
        worst = table.iloc[0]
        if worst["effective_draws"] >= LEAST_EFFECTIVE and not worst["k_hat"] > LARGEST_K:
            return []
        return [
            f"the two posteriors lie too far apart to be split by reweighting (swapping {worst['swapped']} leaves "
            f"{worst['effective_draws']:.0f} effective draws, Pareto k {worst['k_hat']:.1f}; {LEAST_EFFECTIVE:.0f} and at "
            f"most {LARGEST_K:g} are needed): fit a run with one change only and compare with that"
        ]


def taken_over(own: Any, other: Any, kept: npt.NDArray[np.intp], paired: bool) -> Any:
    """Draws of the other run in place of some of one's own: the same ones if paired, else those of the same rank.

    >>> taken_over(np.array([3.0, 1.0, 2.0]), np.array([10.0, 20.0, 30.0]), np.arange(3), False).tolist()
    [30.0, 10.0, 20.0]
    """
    if np.ndim(other) == 0:
        return other
    if paired:
        return other[kept]
    if np.ndim(own) != 1 or np.ndim(other) != 1:
        return other[kept % len(other)]
    level = np.argsort(np.argsort(own, kind="stable"), kind="stable") / max(len(own) - 1, 1)
    return np.quantile(other, level[kept])


def summary(values: Array, weight: Array, pooled: Array, is_event: bool) -> Array:
    """Mean rank within `pooled` and median (of an event: probability) of weighted draws, (2, column of `weight`)."""
    rank = 0.5 * (np.searchsorted(pooled, values, "left") + np.searchsorted(pooled, values, "right")) / pooled.size
    total = weight.sum(axis=0)
    middle = values @ weight / total if is_event else weighted_medians(values, weight)
    return np.stack([rank @ weight / total, np.where(np.isfinite(middle), middle, np.nan)])
