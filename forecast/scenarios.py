"""Scenarios: named overlays of settings that projection and take-off understand; ``priors/scenarios/*.toml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from forecast.errors import InputError
from forecast.families import suggestion
from forecast.overlays import scenario_names
from forecast.places import priors_folder
from forecast.prior_files import read_prior_file

Course = Literal["trend", "frozen", "leap"]


@dataclass(frozen=True)
class Scenario:
    """What a scenario asks of the dynamics.

    ``course`` is what compute does from full automation on; a leap is ``leap_factor`` times the fleet, at most. Without
    ``slowdown``, compute and staff grow at today's rates for ever.
    """

    name: str
    description: str
    course: Course = "trend"
    leap_factor: float = 1.0
    slowdown: bool = True

    def parameters(self, p: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of the draws as this scenario has them."""
        changed = dict(p) | {"leap_factor": self.leap_factor}
        return changed if self.slowdown else changed | {"slowdown_year": np.full(np.shape(p["slowdown_year"]), np.inf)}


def load_scenario(name: str) -> Scenario:
    """A shipped scenario by name.

    Raises
    ------
    InputError
        If there is none of that name, or if it replaces priors, which needs a fit of its own.

    Examples
    --------
    >>> load_scenario("software_only").course
    'frozen'
    """
    if name not in scenario_names():
        raise InputError(f"no scenario named {name!r}{suggestion(name, scenario_names())}")
    faults: list[str] = []
    file = read_prior_file(priors_folder() / "scenarios" / f"{name}.toml", faults, overlay=True)
    if file is None or faults:
        raise InputError("\n".join(faults))
    if file.priors:
        raise InputError(f"scenario {name!r} replaces priors: fit it on its own with forecast run --view {name}")
    return scenario_of(name, file.description, file.settings)


def scenario_of(name: str, description: str, settings: Mapping[str, Any]) -> Scenario:
    """The scenario that some settings of an overlay describe."""
    frozen, factor = settings.get("freeze_compute", False), settings.get("hardware_leap_factor")
    if frozen and factor is not None:
        raise InputError(f"scenario {name!r} freezes compute and lets it leap: drop freeze_compute or the leap")
    course: Course = "frozen" if frozen else "trend" if factor is None else "leap"
    return Scenario(
        name, description, course, 1.0 if factor is None else factor, settings.get("compute_slowdown", True)
    )


def load_scenarios(names: str | Sequence[str]) -> list[Scenario]:
    """One scenario or several, in the order given, each once."""
    chosen = [names] if isinstance(names, str) else list(names)
    if not chosen:
        raise InputError(f"no scenario given: choose from {', '.join(scenario_names())}")
    return [load_scenario(name) for name in dict.fromkeys(chosen)]
