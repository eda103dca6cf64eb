"""Did the sampler converge: divergences, R-hat and effective sample size of every parameter, as one verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from forecast.errors import ConvergenceError, InputError

MAX_RHAT = 1.01
MIN_ESS = 400.0


@dataclass(frozen=True)
class Gate:
    """Verdict on the sampling: did the chains converge to one distribution with enough draws?

    Attributes
    ----------
    divergences : int
        Divergent transitions after tuning (0 needed).
    max_rhat, min_ess_bulk, min_ess_tail : float
        Worst over all parameters, with the parameter's name (at most 1.01, at least 400).
    """

    divergences: int
    max_rhat: float
    min_ess_bulk: float
    min_ess_tail: float
    worst: dict[str, str]

    @property
    def passed(self) -> bool:
        """Whether every criterion holds."""
        return not self.failures()

    def failures(self) -> list[str]:
        """The criteria that do not hold, in words."""
        found = []
        if self.divergences:
            found.append(f"{self.divergences} divergent transitions (0 needed)")
        if not self.max_rhat <= MAX_RHAT:
            found.append(f"R-hat {self.max_rhat:.3f} of {self.worst['rhat']} (at most {MAX_RHAT})")
        for kind, value in (("bulk", self.min_ess_bulk), ("tail", self.min_ess_tail)):
            if not value >= MIN_ESS:
                found.append(f"{kind} ESS {value:.0f} of {self.worst[kind]} (at least {MIN_ESS:.0f})")
        return found

    def raise_if_failed(self) -> None:
        """Raise ConvergenceError with every failed criterion."""
        if self.failures():
            raise ConvergenceError(
                "the sampler did not converge: "
                + "; ".join(self.failures())
                + "; raise --draws or look at the priors changed"
            )


def check(run: xr.DataTree) -> Gate:
    """The convergence gate of a run: divergences, R-hat, bulk and tail ESS of every parameter.

    Raises
    ------
    InputError
        If the run is of the prior alone, which is not sampled by a Markov chain.
    """
    if "sample_stats" not in run.children:
        raise InputError("this run holds draws of the prior: there is no sampler to check; fit a posterior first")
    import arviz as az

    posterior = run["posterior"].to_dataset()
    rhat, bulk, tail = az.rhat(posterior), az.ess(posterior, method="bulk"), az.ess(posterior, method="tail")
    worst_rhat, at_rhat = extreme(rhat, np.nanmax)
    worst_bulk, at_bulk = extreme(bulk, np.nanmin)
    worst_tail, at_tail = extreme(tail, np.nanmin)
    return Gate(
        divergences=int(run["sample_stats"]["diverging"].sum()),
        max_rhat=worst_rhat,
        min_ess_bulk=worst_bulk,
        min_ess_tail=worst_tail,
        worst={"rhat": at_rhat, "bulk": at_bulk, "tail": at_tail},
    )


def extreme(values: Any, choose: Any) -> tuple[float, str]:
    """Most extreme entry of a Dataset of diagnostics and the parameter it belongs to."""
    dataset = values.to_dataset() if isinstance(values, xr.DataTree) else values
    entries = {str(name): float(choose(array.values)) for name, array in dataset.data_vars.items()}
    worst = choose(np.array(list(entries.values())))
    return float(worst), next(name for name, value in entries.items() if value == worst)


def gate_record(run: xr.DataTree) -> dict[str, Any]:
    """The gate as plain data for the run file."""
    gate = check(run)
    return {
        "passed": gate.passed,
        "divergences": gate.divergences,
        "max_rhat": gate.max_rhat,
        "min_ess_bulk": gate.min_ess_bulk,
        "min_ess_tail": gate.min_ess_tail,
        "worst": gate.worst,
        "failures": gate.failures(),
    }
