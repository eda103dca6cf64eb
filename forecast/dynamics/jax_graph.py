"""Traced equations on JAX: a graph of `tracing` evaluated by jax.numpy, in double precision, on whatever device JAX has.

JAX is the extra ``gpu``; nothing is imported before an engine named "jax" is asked for, and no setting of the user's JAX
is changed: double precision holds inside `double_precision` alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from forecast.dynamics import tracing
from forecast.dynamics.integrator import Array
from forecast.dynamics.tracing import Graph
from forecast.errors import InputError

REMEDY = (
    "take the extra: pip install 'forecast[gpu]', on a machine with an NVIDIA GPU also pip install 'jax[cuda13]', "
    "or choose another engine"
)
CPU_ROOM = 512  # draws at once on a processor
GPU_ROOM = 1 << 16  # and at most elsewhere: a stretch of their nodes takes 200 MB


def library() -> Any:
    """The package ``jax``.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        return import_module("jax")
    except ImportError as error:
        raise InputError(f"engine 'jax' needs JAX, which is not installed: {REMEDY}") from error


def double_precision() -> Any:
    """A context in which JAX computes in double precision, whatever the user has set."""
    return library().enable_x64(True)


@cache
def functions() -> dict[str, Any]:
    """A graph's operations by jax.numpy, under NumPy's names."""
    numpy = library().numpy
    found = {name: getattr(numpy, name) for name in tracing.FUNCTIONS}
    return found | {"power": lambda base, exponent: square_or_power(numpy, base, exponent)}


def square_or_power(numpy: Any, base: Any, exponent: Any) -> Any:
    """A power; a square is a product, which costs a twentieth."""
    return base * base if isinstance(exponent, float) and exponent == 2.0 else numpy.power(base, exponent)


def evaluated(
    graph: Graph, order: Iterable[int], known: Mapping[int, Any], inputs: Mapping[str, Any]
) -> dict[int, Any]:
    """Values of some nodes in order, given those of earlier ones and of the inputs, by jax.numpy."""
    return tracing.computed(graph, order, inputs, known, functions())


def room_for(size: int, backend: str) -> int:
    """Draws that are marched at once where there are `size`: few shapes, because each is compiled for itself.

    A processor takes small groups, which stay in its cache, and is compiled once; a GPU takes what is there.

    >>> room_for(4000, "cpu"), room_for(4000, "gpu"), room_for(10**6, "gpu")
    (512, 4096, 65536)
    """
    return CPU_ROOM if backend == "cpu" else min(max(power_of_two(size), CPU_ROOM), GPU_ROOM)


def power_of_two(size: int) -> int:
    """The smallest power of two that is no smaller.

    >>> power_of_two(300), power_of_two(512)
    (512, 512)
    """
    return 1 << (size - 1).bit_length()


def on_device(columns: Iterable[Array], size: int, room: int) -> Any:
    """Values of `size` draws as one array (column, draw) on the device, the last draw repeated up to `room`."""
    table = np.stack([np.broadcast_to(np.asarray(column, dtype=float), (size,)) for column in columns])
    return library().device_put(np.pad(table, ((0, 0), (0, room - size)), mode="edge"))
