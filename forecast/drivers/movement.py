"""How much of the movement between two runs each change explains, without a fit: Shapley values over swaps.

A swap gives run A some of the changes that lead to run B. A prior that no likelihood reads is swapped exactly, draw by
draw; one that is read, a table or the date by weights on the draws of both (``drivers.mixture_weights``). What cannot be
swapped - another model, tables that are not at hand, sampling noise - is the last row, which makes the sum exact.
``tests/drivers/test_movement.py`` pins it to closed forms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from forecast.drivers.changes import changes_of
from forecast.drivers.disagreement import anchored
from forecast.drivers.movement_plan import planned
from forecast.drivers.movement_swaps import REST, Game, summary
from forecast.drivers.outputs import Output, evaluator, parsed_outputs
from forecast.drivers.swapped_densities import side_of
from forecast.drivers.swaps import shapley_of_swaps
from forecast.errors import InputError
from forecast.research.reweighting import weighted_quantile

Array = npt.NDArray[np.float64]
IDLE, REMAINDER = "not read", "remainder"
NOISE = 3.0  # standard errors within which nothing has moved
NEAR = 0.002  # of mean rank: less is nothing, however surely paired draws know it


@dataclass(frozen=True)
class Movement:
    """What changed between two runs, and what that did to some outputs.

    Attributes
    ----------
    changes : pandas.DataFrame
        ``drivers.changes.changes``.
    outputs : pandas.DataFrame
        A row per output: median and 90% interval in A (``first``) and B (``second``), of an event its probability,
        ``shift`` and ``rank_shift`` from A to B with standard errors, and whether it ``moved`` beyond noise.
    parts : pandas.DataFrame
        Per output a row per change and last `REST`: ``rank_shift`` and ``shift`` (units of the output; NaN where a median
        on the way is not within the window) add up to those of the output; ``share`` of the rank shift (NaN where nothing
        moved beyond noise); ``how`` it was swapped.
    swaps : pandas.DataFrame
        The weights of every swap by reweighting: effective draws, and Pareto k-hat of the worst one.
    notes : tuple of str
        What could not be followed, and what to do about it.
    """

    changes: pd.DataFrame
    outputs: pd.DataFrame
    parts: pd.DataFrame
    swaps: pd.DataFrame
    notes: tuple[str, ...]


def movement(
    run_a: xr.DataTree,
    run_b: xr.DataTree,
    outputs: Sequence[str] | None = None,
    scenario: str = "baseline",
    years: Iterable[int] | None = None,
    tables_a: str | Path | None = None,
    tables_b: str | Path | None = None,
    draws: int | None = None,
    random_seed: int = 1,
) -> Movement:
    """What changed from one run to another, and how much of the movement of each output each change explains.

    Parameters
    ----------
    run_a, run_b : xarray.DataTree
        Runs, fitted or of the prior; `load_draws` reads all that is needed.
    outputs : sequence of str, optional
        Names of outputs, as ``drivers.outputs.parsed_output`` reads them; the two headlines if None.
    scenario : str
        Name of a shipped scenario.
    years : iterable of int, optional
        The window, as for `takeoff`.
    tables_a, tables_b : str or Path, optional
        Folders of the tables of either run, where its file does not hold them and they are not the shipped ones.
    draws : int, optional
        Use about so many draws of each run for the swaps; as many as a few seconds allow if None. Both ends have all.
    random_seed : int
        Seed of the bootstrap, and of the orders where there are too many changes for all.

    Returns
    -------
    Movement
        Its ``parts`` add up to B - A exactly.

    Raises
    ------
    InputError
        For an unknown output or scenario, or a folder of tables that cannot be read.

    Examples
    --------
    >>> from forecast import load_run
    >>> runs = load_run("before/run.nc"), load_run("after/run.nc")  # doctest: +SKIP
    >>> movement(*runs).parts  # doctest: +SKIP
    """
    asked, window = parsed_outputs(outputs), None if years is None else list(years)
    if draws is not None and draws < 2:
        raise InputError(f"draws = {draws}: give 2 or more")
    a, b = side_of(run_a, tables_a, "--tables-a"), side_of(run_b, tables_b, "--tables-b")
    changed = changes_of(a.record, b.record)
    plan = planned(a, b, [(str(kind), str(name)) for kind, name in zip(changed["kind"], changed["name"], strict=True)])
    evaluate = [evaluator(asked, side.as_of_year, scenario, window) for side in (a, b)]
    game = Game(a, b, plan, evaluate, (run_a, run_b), draws, random_seed)
    ends = game.ends()
    found = [moved_output(output, game, ends) for output in asked]
    return Movement(
        changes=changed,
        outputs=pd.DataFrame([row for row, _ in found]),
        parts=pd.DataFrame([row for _, rows in found for row in rows]),
        swaps=game.reliability(),
        notes=(*plan.notes, *game.warnings()),
    )


def moved_output(
    output: Output, game: Game, ends: tuple[Mapping[str, Array], Mapping[str, Array]]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The row of an output in `Movement.outputs`, and its rows in `Movement.parts`."""
    a, b = (end[output.name] for end in ends)
    pooled = np.sort(np.concatenate([a, b]))
    first, second = (summary(x, counts, pooled, output.is_event) for x, counts in zip((a, b), game.counts, strict=True))
    whole = second - first
    with np.errstate(invalid="ignore"):
        found = shapley_of_swaps(lambda names: game.measured(output, pooled, names), game.names, random_seed=game.seed)
    count = len(game.players)
    parts, noise = found.values[:count], found.errors[:count, :, 0]
    few = [
        summary(x[kept], counts[kept], pooled, output.is_event)
        for x, kept, counts in zip((a, b), game.sampled, game.counts, strict=True)
    ]
    rows = np.concatenate([parts, few[1][None] - few[0] - parts.sum(axis=0)])
    for i in (0, 1):  # from the ends on the draws that were swapped to those on all draws
        rows[:, i] = anchored(rows[:, i], np.stack([end[i] for end in few]), np.stack([first[i], second[i]]))
    rows[-1] = whole - rows[:-1].sum(axis=0)
    errors = np.hypot(rows[:, :, 1:].std(axis=2), np.concatenate([noise, np.zeros((1, 2))]))
    error = whole[:, 1:].std(axis=1)
    moved = bool(abs(whole[0, 0]) > max(NEAR, NOISE * error[0]))
    low_high = [
        (np.nan, np.nan) if output.is_event else weighted_quantile(x, np.ones(x.size), (0.05, 0.95)) for x in (a, b)
    ]
    about: dict[str, Any] = {"output": output.name}
    for label, end, (low, high) in zip(("first", "second"), (first, second), low_high, strict=True):
        about |= {f"{label}_median": end[1, 0], f"{label}_low": low, f"{label}_high": high}
    about |= {
        "shift": whole[1, 0],
        "shift_error": error[1],
        "rank_shift": whole[0, 0],
        "rank_error": error[0],
        "moved": moved,
    }
    labels = [(player.name, player.kind, player.how) for player in game.players] + [(REST, REST, REMAINDER)]
    told = [
        {"output": output.name, "change": name, "kind": kind, "how": how}
        | {"share": rows[i, 0, 0] / whole[0, 0] if moved else np.nan}
        | {"share_error": errors[i, 0] / abs(whole[0, 0]) if moved else np.nan}
        | {"shift": rows[i, 1, 0], "shift_error": errors[i, 1], "rank_shift": rows[i, 0, 0], "rank_error": errors[i, 0]}
        for i, (name, kind, how) in enumerate(labels)
    ]
    order = sorted(range(count), key=lambda i: -abs(rows[i, 0, 0]))
    idle = [{"output": output.name, "change": name, "kind": kind, "how": IDLE} for kind, name in sorted(game.plan.idle)]
    nothing = dict.fromkeys(("share", "share_error", "shift", "shift_error", "rank_shift", "rank_error"), 0.0)
    return about, [told[i] for i in order] + [row | nothing for row in idle] + [told[count]]
