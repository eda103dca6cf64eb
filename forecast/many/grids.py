"""Fixed bins: which bin a value falls into, and the value that stands for a bin.

A grid knows nothing of the draws, so that counts of any two of them can be added. Bins are numbered from the grid's own
origin and only those between the smallest and the largest value seen are ever stored.
``tests/many/test_grids.py`` holds every grid to its stated error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any  # NumPy array

SIGNIFICANT_BITS = 9  # of a positive value: 512 bins to a doubling
DROPPED_BITS = 52 - SIGNIFICANT_BITS
SMALLEST = 2.0**-30  # values below it, 0 included, share the first bin of a `Ratio`
SHARES = frozenset({"automated_share", "training_utilization", "deployment_utilization"})


@dataclass(frozen=True)
class Step:
    """Bins of one width; values beyond `low` and `high` are counted in the last bin of their side, and said to be."""

    width: float
    low: float
    high: float
    units: str

    @property
    def error(self) -> float:
        """Half a bin, in `units`."""
        return 0.5 * self.width

    def index(self, values: Array) -> Array:
        """Number of each value's bin."""
        return np.floor(np.clip(values, self.low, self.high) * (1.0 / self.width)).astype(np.int64)

    def middle(self, index: Array) -> Array:
        """The value that stands for a bin."""
        return (index + 0.5) * self.width

    @property
    def ends(self) -> tuple[int, int]:
        """The bins that hold what lies beyond the ends."""
        first, last = self.index(np.array([self.low, self.high]))
        return int(first), int(last)


@dataclass(frozen=True)
class Ratio:
    """Bins of positive values that are 512 to a doubling: the first bits of the number itself, so that no log is taken."""

    units: str = "relative"
    low: float = 0.0
    high: float = np.inf

    @property
    def error(self) -> float:
        """Half a bin over the value, at most; values below 2^-30 may be off by so much."""
        return 2.0 ** -(SIGNIFICANT_BITS + 1)

    def index(self, values: Array) -> Array:
        """Number of each value's bin."""
        return np.maximum(values, SMALLEST).view(np.int64) >> DROPPED_BITS

    def middle(self, index: Array) -> Array:
        """The value that stands for a bin."""
        low, high = ((np.asarray(index, dtype=np.int64) + k) << DROPPED_BITS for k in (0, 1))
        return 0.5 * (low.view(np.float64) + high.view(np.float64))

    @property
    def ends(self) -> tuple[int, int]:
        """The bin that would hold negative values, and one that no number reaches."""
        return int(self.index(np.array([0.0]))[0]), 2**62


type Grid = Step | Ratio

LOGS = Step(0.001, -300.0, 300.0, "log10")
YEARS = Step(2.0**-9, 1000.0, 3000.0, "yr")
PARTS = Step(0.0001, 0.0, 1.0, "share")
POSITIVE = Ratio()


def grid_of(name: str) -> Grid:
    """The grid of a variable of ``schema.YEARLY`` or ``schema.READOUTS``, by what its name says of its scale.

    >>> [grid_of(name).error for name in ("log10_parallel_streams", "year_100", "takeoff_years")]
    [0.0005, 0.0009765625, 0.0009765625]
    """
    if name.startswith("log10_"):
        return LOGS
    if name.startswith("year_"):
        return YEARS
    return PARTS if name in SHARES else POSITIVE
