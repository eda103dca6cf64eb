"""Scenarios: named overlays of settings that projection and take-off understand; ``priors/scenarios/*.toml``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forecast.errors import InputError
from forecast.families import suggestion
from forecast.prior_files import read_prior_file
from forecast.priors import scenario_names, shipped_folder


@dataclass(frozen=True)
class Scenario:
    """What a scenario asks of the dynamics."""

    name: str
    description: str
    freeze_compute: bool


def load_scenario(name: str) -> Scenario:
    """A shipped scenario by name.

    Raises
    ------
    InputError
        If there is none of that name, or if it replaces priors, which needs a fit of its own.

    Examples
    --------
    >>> load_scenario("software_only").freeze_compute
    True
    """
    if name not in scenario_names():
        raise InputError(f"no scenario named {name!r}{suggestion(name, scenario_names())}")
    faults: list[str] = []
    file = read_prior_file(shipped_folder() / "scenarios" / f"{name}.toml", faults, overlay=True)
    if file is None or faults:
        raise InputError("\n".join(faults))
    if file.priors:
        raise InputError(f"scenario {name!r} replaces priors: fit it on its own with forecast run --view {name}")
    return Scenario(name, file.description, bool(file.settings.get("freeze_compute", False)))


def load_scenarios(names: str | Sequence[str]) -> list[Scenario]:
    """One scenario or several, in the order given, each once."""
    chosen = [names] if isinstance(names, str) else list(names)
    if not chosen:
        raise InputError(f"no scenario given: choose from {', '.join(scenario_names())}")
    return [load_scenario(name) for name in dict.fromkeys(chosen)]
