"""Can a run be believed: its sampler, and how its draws agree with the rows they were fitted to and with the possible.

The gate (``forecast.convergence``) alone decides whether a run passes; everything else is a finding in words with a remedy.
Some hundred p-values are looked at together, so that a finding is made of one only where the expected share of false
ones among all made is below `FALSE_SHARE` (Benjamini & Hochberg 1995); of a model that is right, that is the chance of any.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import false_discovery_control

from forecast.convergence import MAX_RHAT, MIN_ESS, Gate
from forecast.convergence import check as gate_of
from forecast.errors import InputError
from forecast.evaluation.checks_words import findings, verdict
from forecast.evaluation.guards import guards
from forecast.evaluation.loo import (
    influential_rows,
    judged_rows,
    labels_of,
    loo_by_table,
    loo_frame,
    recorded_log_likelihood,
    relative_efficiency,
    seed_of,
)
from forecast.evaluation.loo_pit import pit_frame
from forecast.evaluation.posterior_predictive import predictive_frame
from forecast.observations import Observations, load_observations
from forecast.runs import read_provenance
from forecast.side_draws import recorded_tables

MIN_BFMI = 0.3  # Betancourt 2016, arXiv:1604.00695
FALSE_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class Checks:
    """What a check of a run found.

    Attributes
    ----------
    gate : Gate
        The verdict on the sampling, which alone makes a run pass or fail.
    findings : pandas.DataFrame
        What to do something about, the gravest first: ``kind, where, severity`` (fails, look, note), ``finding, remedy``.
    sampling : pandas.DataFrame
        Each criterion of the sampler, its worst value and parameter, what is needed.
    loo, influential : pandas.DataFrame
        PSIS-LOO of each table, and the rows that decide a parameter by themselves.
    pit : pandas.DataFrame
        LOO-PIT of each table, tested for uniformity.
    predictive : pandas.DataFrame
        Each posterior predictive statistic of each table with its two-sided p-value.
    guards : pandas.DataFrame
        Shares of draws outside what each output can plausibly be.

    ``q_value`` is the smallest expected share of false findings at which a p-value would be one of them.
    """

    gate: Gate
    findings: pd.DataFrame
    sampling: pd.DataFrame
    loo: pd.DataFrame
    influential: pd.DataFrame
    pit: pd.DataFrame
    predictive: pd.DataFrame
    guards: pd.DataFrame

    @property
    def passed(self) -> bool:
        """Whether the sampler converged."""
        return self.gate.passed

    @property
    def verdict(self) -> str:
        """All of it in two sentences."""
        return verdict(self.gate, self.findings, number_of_tests(self.pit, self.predictive), FALSE_SHARE)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The findings and every table behind them, by name."""
        names = ("findings", "sampling", "loo", "influential", "pit", "predictive", "guards")
        return {name: getattr(self, name) for name in names}

    def failures(self) -> list[str]:
        """The criteria of the gate that do not hold, in words."""
        return self.gate.failures()

    def raise_if_failed(self) -> None:
        """Raise ConvergenceError with every failed criterion of the gate."""
        self.gate.raise_if_failed()


def check(run: xr.DataTree, observations: Observations | None = None) -> Checks:
    """Sampler, leave-one-out, calibration, posterior predictive checks and prior guards of a fitted run.

    Parameters
    ----------
    run : xarray.DataTree
        A fitted run.
    observations : Observations, optional
        The tables it was fitted to; those of the run file if None, or the shipped ones if it holds none and they are
        the same.

    Returns
    -------
    Checks
        Gate, findings in words, and every table behind them.

    Raises
    ------
    InputError
        If the run is of the prior alone, lacks its log-likelihood, was changed since it was fitted, or its tables are
        not at hand.

    Examples
    --------
    >>> from forecast import load_run
    >>> check(load_run("forecast-out/run.nc")).raise_if_failed()  # doctest: +SKIP
    """
    refuse_unfitted(run)
    gate = gate_of(run)
    tables = fitted_tables(run) if observations is None else observations
    judged = judged_rows(run, tables)
    left_out = loo_by_table(recorded_log_likelihood(run, judged), relative_efficiency(run))
    labels = {table: labels_of(run, tables, one) for table, one in judged.items()}
    influential = influential_rows(left_out, labels, run)
    pit, predictive = corrected(
        pit_frame(judged, left_out, labels, seed_of(run)), predictive_frame(judged, tables, labels, seed_of(run))
    )
    sampling, guarded = sampling_frame(run, gate), guards(run)
    found = findings(sampling, influential, pit, predictive, guarded, FALSE_SHARE)
    return Checks(gate, found, sampling, loo_frame(left_out, labels), influential, pit, predictive, guarded)


def refuse_unfitted(run: xr.DataTree) -> None:
    """Refuse a run whose draws are not those of a fit: of the prior alone, or changed since."""
    if "sample_stats" not in run.children:
        raise InputError("this run holds draws of the prior: there is no sampler to check; fit a posterior first")
    record = read_provenance(run)
    for key, how in (("views", "seen through a view"), ("thinned", "thinned")):
        if record.get(key):
            raise InputError(f"this run was {how} after it was fitted: check the run file that it was made from")


def fitted_tables(run: xr.DataTree) -> Observations:
    """The tables that a run was fitted to: its own, or the shipped ones where it holds none and they are the same."""
    record = read_provenance(run)
    if "observations" in record:
        return recorded_tables(record)
    shipped, said = load_observations(as_of=record["as_of"]), record["digests"]["tables"]
    if wrong := [name for name, digest in said.items() if shipped.digests.get(name) != digest]:
        raise InputError(
            f"this run does not hold its tables, and the shipped ones are others ({', '.join(wrong)}): "
            "pass those it was fitted to as observations=, or fit it with the command forecast fit, which writes them"
        )
    return shipped


def sampling_frame(run: xr.DataTree, gate: Gate) -> pd.DataFrame:
    """A row per criterion of the sampler, E-BFMI by chain; the gate is made of those of which ``gate`` is True."""
    worst = gate.worst
    rows: list[dict[str, Any]] = [
        criterion("divergent transitions", gate.divergences, "0", gate.divergences == 0),
        criterion("largest R-hat", gate.max_rhat, f"at most {MAX_RHAT}", gate.max_rhat <= MAX_RHAT, worst["rhat"]),
    ]
    for kind, value in (("bulk", gate.min_ess_bulk), ("tail", gate.min_ess_tail)):
        said = (f"smallest {kind} ESS", value, f"at least {MIN_ESS:.0f}", value >= MIN_ESS, worst[kind])
        rows.append(criterion(*said))
    for chain, value in enumerate(bfmi(run)):
        found = criterion(f"E-BFMI of chain {chain + 1}", value, f"at least {MIN_BFMI}", value >= MIN_BFMI)
        rows.append(found | {"gate": False})
    return pd.DataFrame(rows)


def criterion(name: str, value: float, needed: str, passed: bool, parameter: str = "") -> dict[str, Any]:
    """One criterion of the gate."""
    said = {"criterion": name, "value": float(value), "parameter": parameter, "needed": needed}
    return said | {"passed": bool(passed), "gate": True}


def bfmi(run: xr.DataTree) -> np.ndarray:
    """Bayesian fraction of missing information of each chain: how freely the sampler moves between energies."""
    from arviz_stats.base import array_stats

    energy = run["sample_stats"]["energy"].transpose("chain", "draw").values
    return np.asarray(array_stats.bfmi(energy))


def corrected(pit: pd.DataFrame, predictive: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables with Benjamini and Hochberg's q-value beside every p-value, over all of them together."""
    parts = [pit["p_value"], pit["p_extreme"], predictive["p_value"]]
    together = np.concatenate([part.to_numpy(dtype=float) for part in parts])
    q = np.full(together.size, np.nan)
    known = np.isfinite(together)
    q[known] = false_discovery_control(together[known])
    of_uniform, of_extreme, of_statistic = np.split(q, np.cumsum([len(part) for part in parts])[:-1])
    return pit.assign(q_value=of_uniform, q_extreme=of_extreme), predictive.assign(q_value=of_statistic)


def number_of_tests(pit: pd.DataFrame, predictive: pd.DataFrame) -> int:
    """How many p-values were looked at."""
    return int(pit["p_value"].notna().sum() + pit["p_extreme"].notna().sum() + len(predictive))
