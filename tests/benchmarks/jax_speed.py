"""How fast JAX marches the take-off on the device it finds, and what share of the device's peak that is.

    uv run --with 'jax[cuda13]' python tests/benchmarks/jax_speed.py [RUN.nc] --draws 100000

On a machine without an NVIDIA GPU: ``--with jax``. Without RUN.nc the draws are the prior's.
Operations are counted on the traced graph: an addition, product, comparison or choice is 1, a division 8, a function such
as exp 25 (what plain double-precision arithmetic takes for them). The peak is measured too, by a chain of
multiply-adds on the same device, 2 operations each.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from forecast.dynamics import all_scenarios, on_jax
from forecast.dynamics.compiled import entries
from forecast.dynamics.flow import Present, present_of, research_flow
from forecast.dynamics.integrator import DEFAULT_STEP, Node, snapshot, z_of
from forecast.dynamics.jax_graph import double_precision, library, on_device, room_for
from forecast.equations.trends import LN10
from forecast.jax_series import series
from forecast.projection import quantities_on_trend
from forecast.results import BLOCK, in_blocks, moments
from forecast.scenarios import load_scenarios
from forecast.side_draws import parameters_with

FUNCTIONS = ("exp", "expm1", "log", "log1p", "log10", "tanh", "sqrt", "logaddexp", "power")
FUNCTION_OPERATIONS, DIVISION_OPERATIONS = 25.0, 8.0
YEARS = tuple(range(2027, 2047))
WINDOW_END = YEARS[-1] + 2.0
CHAIN, LANES = 4096, 1 << 20
REPEATS = 3


def speed(run: xr.DataTree, draws: int) -> dict[str, Any]:
    """Measured figures of the default device, the draws of `run` repeated until there are enough."""
    jax = library()
    p = repeated(parameters_with(run), draws)
    device = jax.devices()[0]
    return {
        "device": f"{device.platform}: {device.device_kind}",
        "draws": draws,
        **marching(p, draws),
        **projection(p, draws),
        **whole(p, draws),
    }


def repeated(p: dict[str, Any], draws: int) -> dict[str, Any]:
    """Parameters of so many draws."""
    return {name: np.resize(value, (draws, *value.shape[1:])) if np.ndim(value) else value for name, value in p.items()}


def marching(p: dict[str, Any], draws: int) -> dict[str, Any]:
    """Paths of all draws to full automation or the end: kept on the device, and brought to the host as `takeoff` does."""
    present = present_of(p)
    flow, first = on_jax.jax_flow(p, present, {}), first_node(p, present, draws)
    stops = np.full(draws, WINDOW_END), present.milestones.full
    compiling, path = timed(lambda: flow.path(first, *stops, DEFAULT_STEP, 1000))
    to_host = min(timed(lambda: flow.path(first, *stops, DEFAULT_STEP, 1000))[0] for _ in range(REPEATS))
    groups = on_the_device(flow, first, np.stack(stops), draws)
    seconds, computed = min(timed(lambda: marched(flow, groups)) for _ in range(REPEATS))
    with double_precision():
        peak = peak_operations_per_second()
    useful = float((path.step > 0).sum())
    rate = operations(p) * useful / seconds
    return {
        "compile_seconds": compiling - to_host,
        "paths_per_second_on_the_device": draws / seconds,
        "paths_per_second_brought_to_the_host": draws / to_host,
        "steps_per_path": useful / draws,
        "share_of_the_computed_steps_that_draws_needed": useful / computed,
        "operations_per_second": rate,
        "peak_operations_per_second": peak,
        "share_of_peak": rate / peak,
    }


def on_the_device(flow: on_jax.JaxFlow, first: Node, stops: Any, draws: int) -> list[tuple[Any, Any, Any]]:
    """What every group of draws needs, put on the device beforehand."""
    start = np.stack([getattr(first if hasattr(first, name) else first.memory, name) for name in on_jax.COLUMNS])
    room = room_for(draws, library().default_backend())
    parts = [slice(k, min(k + room, draws)) for k in range(0, draws, room)]
    with double_precision():
        return [
            tuple(on_device(rows[:, part], part.stop - part.start, room) for rows in (flow.table, start, stops))  # type: ignore[misc]
            for part in parts
        ]


def marched(flow: on_jax.JaxFlow, groups: list[tuple[Any, Any, Any]]) -> float:
    """March all groups to their ends; the steps that were computed."""
    computed = 0.0
    with double_precision():
        for table, state, stops in groups:
            done, going = 0, True
            while going:
                state, _, _, made, going = flow.march(table, state, stops, DEFAULT_STEP, done, 1000)
                done += int(made)
            computed += done * table.shape[1]
    return computed


def first_node(p: dict[str, Any], present: Present, draws: int) -> Node:
    """Where every path starts."""
    time_, z = np.full(draws, float(p["as_of_year"])), z_of(np.zeros(draws), LN10 * p["log10_software_ceiling"])
    return snapshot(time_, z, research_flow(p, present, {})(time_, z, None, np.arange(draws)), DEFAULT_STEP)


def operations(p: dict[str, Any]) -> float:
    """Operations of one step of one draw."""
    step = on_jax.step_for(entries(p), ())
    weights = dict.fromkeys(FUNCTIONS, FUNCTION_OPERATIONS) | {"divide": DIVISION_OPERATIONS, "input": 0.0}
    return sum(weights.get(step.graph.nodes[number][0], 1.0) for number in step.body)


def peak_operations_per_second() -> float:
    """Double-precision operations per second of eight independent chains of multiply-adds, on every lane."""
    jax = library()
    xp = jax.numpy

    def chains(x: Any) -> Any:
        def link(_: Any, values: Any) -> Any:
            return tuple(value * 0.999 + 0.001 for value in values)

        return sum(jax.lax.fori_loop(0, CHAIN // 8, link, tuple(x + k for k in range(8)), unroll=16))

    run, x = jax.jit(chains), xp.linspace(0.0, 1.0, LANES)
    run(x).block_until_ready()
    seconds = min(timed(lambda: run(x).block_until_ready())[0] for _ in range(REPEATS))
    return 2.0 * CHAIN * LANES / seconds


def projection(p: dict[str, Any], draws: int) -> dict[str, Any]:
    """The closed-form projection of all variables, on the host at the end."""
    when = moments(YEARS, p["as_of_year"])

    def project() -> Any:
        return series(quantities_on_trend, p, when, ("exponential",))

    compiling = timed(project)[0]
    seconds = min(timed(project)[0] for _ in range(REPEATS))
    return {
        "projection_compile_seconds": compiling - seconds,
        "projection_draws_x_years_per_second": draws * len(when) / seconds,
    }


def whole(p: dict[str, Any], draws: int) -> dict[str, Any]:
    """Paths and all read-outs of `baseline`, the latter by NumPy on the host, per engine, compiled beforehand."""
    scenarios = load_scenarios("baseline")

    def takeoff(engine: Any, some: dict[str, Any], size: int) -> Any:
        return in_blocks(
            some, size, lambda part: all_scenarios(part, scenarios, list(YEARS), series=False, engine=engine)
        )

    found = {}
    for engine in ("numpy", "compiled", "jax"):
        takeoff(engine, repeated(p, BLOCK), BLOCK)
        found[f"takeoff_draws_per_second_{engine}"] = draws / timed(lambda e=engine: takeoff(e, p, draws))[0]
    return found


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that some work takes, and what it returns."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", nargs="?")
    parser.add_argument("--draws", type=int, default=100_000)
    chosen = parser.parse_args()
    if chosen.run:
        from forecast.runs import load_draws

        run = load_draws(chosen.run)
    else:
        from forecast.fitting import sample_prior
        from forecast.observations import load_observations
        from forecast.priors import load_priors

        run = sample_prior(load_priors(), load_observations(), draws=1000, chains=4, random_seed=1)
    print(json.dumps(speed(run, chosen.draws), indent=2))


if __name__ == "__main__":
    main()
