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
    from forecast.assignments import assigned as assigned
    from forecast.backtest_plots import plot_coverage as plot_coverage
    from forecast.backtest_plots import plot_predictions as plot_predictions
    from forecast.backtest_plots import plot_skill as plot_skill
    from forecast.calibration_plots import plot_rank_ecdf as plot_rank_ecdf
    from forecast.comparison_plots import plot_forms as plot_forms
    from forecast.comparison_plots import plot_leap as plot_leap
    from forecast.comparison_plots import plot_organisations as plot_organisations
    from forecast.comparison_plots import plot_speedup as plot_speedup
    from forecast.comparison_plots import plot_views as plot_views
    from forecast.comparison_plots import save_figure as save_figure
    from forecast.driver_plots import plot_effects as plot_effects
    from forecast.driver_plots import plot_tornado as plot_tornado
    from forecast.driver_plots import plot_waterfall as plot_waterfall
    from forecast.drivers.disagreement import disagreement as disagreement
    from forecast.drivers.evidence import evidence as evidence
    from forecast.drivers.movement import movement as movement
    from forecast.drivers.sensitivity import sensitivity as sensitivity
    from forecast.drivers.sobol import sobol as sobol
    from forecast.dynamics import takeoff as takeoff
    from forecast.dynamics.mixture import form_weights as form_weights
    from forecast.dynamics.mixture import mixture as mixture
    from forecast.elicitation.effects import effect_on_headline as effect_on_headline
    from forecast.elicitation.elicited import elicited as elicited
    from forecast.elicitation.preliz_priors import from_preliz as from_preliz
    from forecast.elicitation.preliz_priors import to_preliz as to_preliz
    from forecast.elicitation.saving import overlay_text as overlay_text
    from forecast.elicitation.saving import save_overlay as save_overlay
    from forecast.elicitation.tables import implied as implied
    from forecast.errors import ConvergenceError as ConvergenceError
    from forecast.errors import DataMissingError as DataMissingError
    from forecast.errors import ForecastError as ForecastError
    from forecast.errors import InputError as InputError
    from forecast.evaluation.backtest import backtest as backtest
    from forecast.evaluation.backtest_record import kept_backtests as kept_backtests
    from forecast.evaluation.calibration import recovery as recovery
    from forecast.evaluation.calibration import sbc as sbc
    from forecast.evaluation.checks import check as check
    from forecast.evaluation.scoring import score as score
    from forecast.evaluation.skill import skill as skill
    from forecast.explorer.server import serve as serve
    from forecast.fitting import fit as fit
    from forecast.fitting import sample_prior as sample_prior
    from forecast.mainjob import report as report
    from forecast.many.job import quantiles_of as quantiles_of
    from forecast.model import build_model as build_model
    from forecast.observations import load_observations as load_observations
    from forecast.plots import plot_exceedance as plot_exceedance
    from forecast.plots import plot_fan as plot_fan
    from forecast.plots import plot_prior_posterior as plot_prior_posterior
    from forecast.plots import plot_takeoff_lengths as plot_takeoff_lengths
    from forecast.presets import preset as preset
    from forecast.priors import interval as interval
    from forecast.priors import load_priors as load_priors
    from forecast.projection import project as project
    from forecast.research.compare import compare as compare
    from forecast.research.compare import differences as differences
    from forecast.research.forms import all_forms as all_forms
    from forecast.research.forms import forms_table as forms_table
    from forecast.research.hardware import leap as leap
    from forecast.research.implementers import speedup as speedup
    from forecast.research.indicators import watch as watch
    from forecast.research.organisations import organisations as organisations
    from forecast.runs import load_run as load_run
    from forecast.runs import save_run as save_run
    from forecast.score_plots import plot_calibration as plot_calibration
    from forecast.score_plots import plot_pit as plot_pit
    from forecast.shipped import shipped_posterior as shipped_posterior
    from forecast.summaries import exceedance as exceedance
    from forecast.summaries import summary as summary
    from forecast.sweeps.running import sweep as sweep
    from forecast.views import apply_view as apply_view

    __version__: str

_ROOMS = {
    "comparison_plots": (
        "plot_forms",
        "plot_leap",
        "plot_organisations",
        "plot_speedup",
        "plot_views",
        "save_figure",
    ),
    "views": ("apply_view",),
    "driver_plots": ("plot_effects", "plot_tornado", "plot_waterfall"),
    "drivers.disagreement": ("disagreement",),
    "drivers.evidence": ("evidence",),
    "drivers.movement": ("movement",),
    "drivers.sensitivity": ("sensitivity",),
    "drivers.sobol": ("sobol",),
    "research.organisations": ("organisations",),
    "research.implementers": ("speedup",),
    "research.hardware": ("leap",),
    "research.compare": (
        "compare",
        "differences",
    ),
    "research.forms": (
        "all_forms",
        "forms_table",
    ),
    "dynamics.mixture": (
        "form_weights",
        "mixture",
    ),
    "research.indicators": ("watch",),
    "dynamics": ("takeoff",),
    "assignments": ("assigned",),
    "presets": ("preset",),
    "elicitation.elicited": ("elicited",),
    "elicitation.tables": ("implied",),
    "elicitation.saving": ("overlay_text", "save_overlay"),
    "elicitation.preliz_priors": ("from_preliz", "to_preliz"),
    "elicitation.effects": ("effect_on_headline",),
    "errors": ("ConvergenceError", "DataMissingError", "ForecastError", "InputError"),
    "evaluation.backtest": ("backtest",),
    "evaluation.backtest_record": ("kept_backtests",),
    "evaluation.skill": ("skill",),
    "evaluation.scoring": ("score",),
    "evaluation.calibration": ("recovery", "sbc"),
    "evaluation.checks": ("check",),
    "backtest_plots": ("plot_coverage", "plot_predictions", "plot_skill"),
    "score_plots": ("plot_calibration", "plot_pit"),
    "calibration_plots": ("plot_rank_ecdf",),
    "explorer.server": ("serve",),
    "fitting": ("fit", "sample_prior"),
    "mainjob": ("report",),
    "many.job": ("quantiles_of",),
    "model": ("build_model",),
    "observations": ("load_observations",),
    "plots": ("plot_exceedance", "plot_fan", "plot_prior_posterior", "plot_takeoff_lengths"),
    "priors": ("interval", "load_priors"),
    "projection": ("project",),
    "runs": ("load_run", "save_run"),
    "shipped": ("shipped_posterior",),
    "summaries": ("exceedance", "summary"),
    "sweeps.running": ("sweep",),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "ConvergenceError",
    "DataMissingError",
    "ForecastError",
    "InputError",
    "__version__",
    "all_forms",
    "apply_view",
    "assigned",
    "backtest",
    "build_model",
    "check",
    "compare",
    "differences",
    "disagreement",
    "effect_on_headline",
    "elicited",
    "equations",
    "evidence",
    "exceedance",
    "fit",
    "form_weights",
    "forms_table",
    "from_preliz",
    "implied",
    "interval",
    "kept_backtests",
    "leap",
    "load_observations",
    "load_priors",
    "load_run",
    "mixture",
    "movement",
    "organisations",
    "overlay_text",
    "plot_calibration",
    "plot_coverage",
    "plot_effects",
    "plot_exceedance",
    "plot_fan",
    "plot_forms",
    "plot_leap",
    "plot_organisations",
    "plot_pit",
    "plot_predictions",
    "plot_prior_posterior",
    "plot_rank_ecdf",
    "plot_skill",
    "plot_speedup",
    "plot_takeoff_lengths",
    "plot_tornado",
    "plot_views",
    "plot_waterfall",
    "preset",
    "project",
    "quantiles_of",
    "recovery",
    "report",
    "sample_prior",
    "save_figure",
    "save_overlay",
    "save_run",
    "sbc",
    "score",
    "sensitivity",
    "serve",
    "shipped_posterior",
    "skill",
    "sobol",
    "speedup",
    "summary",
    "sweep",
    "takeoff",
    "to_preliz",
    "watch",
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
