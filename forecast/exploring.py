"""How far ``--set`` and ``--preset`` reach: the numbers of ``exploring.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).parent / "exploring.toml"
PRESETS = ("low", "central", "high")


class Exploring(NamedTuple):
    """How far a value may lie from the shipped median, and what a preset fixes.

    ``widths`` counts shipped 90% intervals. A preset fixes at most ``parameters`` inputs, those that say most about the
    number of AIs ``years_ahead`` years after as_of, at the percentile of ``levels``, in the direction of more AIs.
    """

    widths: float
    parameters: int
    years_ahead: int
    levels: Mapping[str, float]


@cache
def exploring(path: Path = FILE) -> Exploring:
    """The numbers of a file.

    >>> exploring().levels["low"]
    0.1
    """
    said = tomllib.loads(path.read_text(encoding="utf-8"))
    presets = said["presets"]
    levels = {name: float(presets[name]) for name in PRESETS}
    return Exploring(float(said["set"]["widths"]), int(presets["parameters"]), int(presets["years_ahead"]), levels)
