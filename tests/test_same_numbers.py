"""Wherever heavy work is done, its numbers are the same to the last bit: one pool of two processes for all of it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import forecast as fc
from forecast.drivers import evidence as evidence_module
from forecast.drivers import sobol as sobol_module
from forecast.drivers.evidence import Switched, refits_in, switched_fit
from forecast.drivers.sobol import in_pieces, points_of, prior_inputs, values_at
from forecast.evaluation import backtest as backtest_module
from forecast.evaluation import calibration, refits, replicates
from forecast.evaluation.backtest import backtest
from forecast.executors import executor_from
from forecast.observations import Observations
from forecast.priors import Priors
from forecast.progress import silent
from forecast.runs import read_provenance

OUTPUTS = ["takeoff_years", "log10_parallel_streams@2031", "year_100<2031"]


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with executor_from("processes:2") as executor:
        assert executor is not None
        yield executor


def equal(one: Any, other: Any) -> None:
    """Both are the same tables."""
    for name, table in one.items():
        pd.testing.assert_frame_equal(table, other[name], check_exact=True, obj=name)


def test_points_of_the_prior(prior_run: xr.DataTree, pool: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sobol_module, "BLOCK", 200)
    inputs = prior_inputs(read_provenance(prior_run), 2026.8)
    levels = np.random.default_rng(1).random((310, len(inputs.quantiles)))
    columns = np.column_stack([quantile(level) for quantile, level in zip(inputs.quantiles, levels.T, strict=True)])
    asked = points_of(prior_run, OUTPUTS, "baseline", None)
    np.testing.assert_array_equal(in_pieces(asked, columns, pool), values_at(asked)(columns))


def test_sobol_indices(prior_run: xr.DataTree, monkeypatch: pytest.MonkeyPatch) -> None:
    """The forecast is stood in for: what is under test is that its values come back in their places."""

    def values(columns: np.ndarray) -> np.ndarray:
        return (columns / (1.0 + np.abs(columns))).cumsum(axis=1)[:, -1:].T

    monkeypatch.setattr(sobol_module, "values_at", lambda asked: values)
    settings: dict[str, Any] = {"points": 64, "second": 0, "outputs": ["log10_parallel_streams@2031"]}
    there, here = fc.sobol(prior_run, **settings, executor="threads:2"), fc.sobol(prior_run, **settings)
    equal(there._asdict(), here._asdict())


def test_what_drives_the_answer(prior_run: xr.DataTree, pool: Executor) -> None:
    settings: dict[str, Any] = {"outputs": ["year_100<2040", "not_automated"], "top": 2, "orders": 4}
    equal(fc.sensitivity(prior_run, **settings, executor=pool).tables(), fc.sensitivity(prior_run, **settings).tables())


CALIBRATION: dict[str, Any] = {"replicates": 13, "draws": 60, "tune": 100, "random_seed": 3}


def test_calibration(priors: Priors, observations: Observations, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads, so that one compiled model does for both."""
    model = refits.refit(priors, observations, ("deployment",))
    monkeypatch.setattr(calibration, "refit", lambda *_: model)
    monkeypatch.setattr(replicates, "refit", lambda *_: model)
    told: list[tuple[str, int, int]] = []
    there, here = (
        fc.sbc(
            priors, observations, "deployment", **CALIBRATION, executor=where, progress=lambda *said: told.append(said)
        )
        for where in ("threads:2", None)
    )
    xr.testing.assert_identical(there.ranked, here.ranked)
    assert there._replace(ranked=None, seconds=0.0) == here._replace(ranked=None, seconds=0.0)
    first, *rest = told[:3]  # of the threads: two chunks, whichever comes first
    assert first == ("deployment: compiling", 0, 13) and rest[1] == ("deployment: refits", 13, 13)
    assert rest[0] in [("deployment: refits", done, 13) for done in (3, 10)]


@pytest.mark.slow
def test_calibration_in_processes(pool: Executor, priors: Priors, observations: Observations) -> None:
    there = fc.sbc(priors, observations, "deployment", **CALIBRATION, executor=pool)
    xr.testing.assert_identical(there.ranked, fc.sbc(priors, observations, "deployment", **CALIBRATION).ranked)


def test_back_tests(prior_run: xr.DataTree, priors: Priors, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fits are stood in for: what is under test is who does which cut, and in which order they are joined."""
    monkeypatch.setattr(
        backtest_module,
        "posterior_run",
        lambda *_, **__: fitted_run(prior_run),
    )
    cuts = ["2024-01-01", "2022-01-01", "2023-01-01"]
    told: list[tuple[str, int, int]] = []
    here = backtest(priors, cuts, random_seed=1, progress=lambda *said: told.append(said))
    there = backtest(priors, cuts, random_seed=1, executor="threads:2")
    equal(vars(there), vars(here))
    assert here.fits["cut"].tolist() == sorted(cuts)
    assert told == [
        *((f"back-test, fitting to {cut}", i, 3) for i, cut in enumerate(sorted(cuts))),
        ("back-test", 3, 3),
    ]


def fitted_run(run: xr.DataTree) -> xr.DataTree:
    """Draws of the prior that say they are of a fit that converged."""
    from forecast.runs import with_provenance

    gate = {"passed": True, "failures": [], "divergences": 0, "max_rhat": 1.0}
    return with_provenance(run.copy(), read_provenance(run) | {"kind": "posterior", "gate": gate})


@pytest.mark.slow
def test_real_back_tests(pool: Executor, priors: Priors) -> None:
    settings: dict[str, Any] = {"draws": 100, "chains": 2, "random_seed": 3}
    cuts = ["2024-01-01", "2025-01-01"]
    equal(vars(backtest(priors, cuts, **settings, executor=pool)), vars(backtest(priors, cuts, **settings)))


@pytest.mark.slow
def test_evidence(pool: Executor, priors: Priors, observations: Observations) -> None:
    from forecast.fitting import parameters_in
    from forecast.model import build_model
    from forecast.schema import BLOCKS

    sets = [frozenset({"compute", "depth_scaling"}), frozenset({"utilization"})]
    settings = {"draws": 50, "tune": 100, "chains": 2, "random_seed": 1}
    reads = {block: frozenset(parameters_in(build_model(priors, observations, [block]))) for block in BLOCKS}
    here = evidence_module.refits(sets, reads, priors, observations, settings, silent)
    there = refits_in(pool, sets, reads, priors, observations, settings, silent)
    assert list(here) == list(there)
    for active in sets:
        xr.testing.assert_identical(here[active][0], there[active][0])
        assert here[active][1] == there[active][1]


def test_each_refit_of_the_evidence_is_of_its_own_set(
    priors: Priors, observations: Observations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes back out of order is put where it belongs; the model is compiled once in a process."""
    compiled: list[int] = []
    monkeypatch.setattr("forecast.compiling.compiled_model", lambda model, digests: compiled.append(1) or "model")
    monkeypatch.setattr("forecast.model.build_switched_model", lambda *_: None)
    monkeypatch.setattr(evidence_module, "switched_draws", lambda model, active, settings: (model, active))
    monkeypatch.setattr(evidence_module, "fit_of", lambda tree, names: (tree, names))
    sets = [frozenset({"a", "b"}), frozenset({"a"}), frozenset({"b"})]
    reads = {"a": frozenset("xy"), "b": frozenset("z")}
    with executor_from("threads:2") as executor:
        found = refits_in(executor, sets, reads, priors, observations, {}, silent)
    assert found == {
        sets[0]: (("model", sets[0]), ["x", "y", "z"]),
        sets[1]: (("model", sets[1]), ["x", "y"]),
        sets[2]: (("model", sets[2]), ["z"]),
    }
    assert compiled == [1]
    job = Switched("another", priors, observations, {})
    assert switched_fit(job, (sets[1], ["x"])) == (("model", sets[1]), ["x"]) and compiled == [1, 1]
