"""The errors a caller may catch; every message names the place, the fault and the remedy."""

from __future__ import annotations


class ForecastError(Exception):
    """Base of every error this package raises on purpose; ``exit_code`` is what the command line returns."""

    exit_code = 1


class InputError(ForecastError, ValueError):
    """A prior file, table, date, scenario, argument or run file that cannot be used as it is."""

    exit_code = 2


class ConvergenceError(ForecastError, RuntimeError):
    """The sampler did not converge; results are written and marked."""

    exit_code = 3


class DataMissingError(ForecastError, FileNotFoundError):
    """A table, prior set or run that should be there is not, or its digest does not match."""

    exit_code = 4
