"""How many AIs can run, and how fast a take-off: the table of contents.

Every name is imported when it is first used (PEP 562), so that ``import forecast`` loads neither NumPy nor PyMC;
``tests/test_public_api.py`` pins it.

>>> import forecast as fc
>>> fc.equations.tokens_per_second_after_training(params=1e14, training_seconds=3e7)
200000000.0
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forecast import equations as equations
    from forecast.dynamics import takeoff as takeoff
    from forecast.errors import ConvergenceError as ConvergenceError
    from forecast.errors import DataMissingError as DataMissingError
    from forecast.errors import ForecastError as ForecastError
    from forecast.errors import InputError as InputError
    from forecast.fitting import check as check
    from forecast.fitting import fit as fit
    from forecast.fitting import sample_prior as sample_prior
    from forecast.mainjob import report as report
    from forecast.model import build_model as build_model
    from forecast.observations import load_observations as load_observations
    from forecast.plots import plot_exceedance as plot_exceedance
    from forecast.plots import plot_fan as plot_fan
    from forecast.plots import plot_prior_posterior as plot_prior_posterior
    from forecast.plots import plot_takeoff_lengths as plot_takeoff_lengths
    from forecast.priors import interval as interval
    from forecast.priors import load_priors as load_priors
    from forecast.projection import project as project
    from forecast.runs import load_run as load_run
    from forecast.runs import save_run as save_run
    from forecast.summaries import exceedance as exceedance
    from forecast.summaries import summary as summary

    __version__: str

_ROOMS = {
    "dynamics": ("takeoff",),
    "errors": ("ConvergenceError", "DataMissingError", "ForecastError", "InputError"),
    "fitting": ("check", "fit", "sample_prior"),
    "mainjob": ("report",),
    "model": ("build_model",),
    "observations": ("load_observations",),
    "plots": ("plot_exceedance", "plot_fan", "plot_prior_posterior", "plot_takeoff_lengths"),
    "priors": ("interval", "load_priors"),
    "projection": ("project",),
    "runs": ("load_run", "save_run"),
    "summaries": ("exceedance", "summary"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "ConvergenceError",
    "DataMissingError",
    "ForecastError",
    "InputError",
    "__version__",
    "build_model",
    "check",
    "equations",
    "exceedance",
    "fit",
    "interval",
    "load_observations",
    "load_priors",
    "load_run",
    "plot_exceedance",
    "plot_fan",
    "plot_prior_posterior",
    "plot_takeoff_lengths",
    "project",
    "report",
    "sample_prior",
    "save_run",
    "summary",
    "takeoff",
]


def __getattr__(name: str) -> Any:
    if name == "equations":
        return import_module("forecast.equations")
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("forecast")
    elif name in _ROOM_OF:
        value = getattr(import_module(f"forecast.{_ROOM_OF[name]}"), name)
    else:
        raise AttributeError(f"module 'forecast' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
