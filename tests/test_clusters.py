"""A dask cluster of two workers: the same numbers, and nothing lost when one is killed in the middle."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import executor_work as work
import pytest
import xarray as xr
from clusters import PATIENCE, Cluster, cluster

from forecast import executors
from forecast.errors import ForecastError, InputError
from forecast.executors import completed, executor_from
from forecast.runs import save_run
from forecast.side_draws import thinned
from forecast.sweeps.running import sweep

SWEEP = """
run = "run.nc"
[settings]
years = "2026:2028"
[grid]
sets = ["", "depth_exponent=0.15", "depth_exponent=0.2"]
forms = ["trend", "ai2027"]
"""


@pytest.fixture
def two_workers(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as found:
        yield found


def test_a_killed_worker_loses_nothing(two_workers: Cluster, tmp_path: Path, prior_run: xr.DataTree) -> None:
    """One cluster for everything that a killed worker must not lose: starting another takes seconds."""
    where = f"dask:{two_workers.address}"
    save_run(thinned(prior_run, 100), tmp_path / "run.nc")
    (tmp_path / "sweep.toml").write_text(SWEEP)
    serial = sweep(tmp_path / "sweep.toml", tmp_path / "serial")
    with executor_from(where) as executor:
        assert sorted(completed(work.scaled, [1, 2, 3], executor, common=7)) == [(0, 7), (1, 14), (2, 21)]
        assert sorted(completed(work.threads, [0, 1], executor)) == [(0, {1}), (1, {1})]
        with pytest.raises(ValueError, match="three is not welcome"):
            list(completed(work.failing, [1, 2, 3], executor))
    victim = two_workers.workers[0]

    def kill(what: str, done: int, wanted: int) -> None:
        if done >= 1:
            victim.send_signal(signal.SIGKILL)

    survived = sweep(tmp_path / "sweep.toml", tmp_path / "survived", executor=where, progress=kill)
    assert victim.wait(PATIENCE) == -signal.SIGKILL  # it was alive until then
    assert survived.computed == 6
    assert survived.results.identical(serial.results)
    assert survived.files[0].read_bytes() == serial.files[0].read_bytes()


def test_what_a_killed_worker_was_doing_is_done_by_the_other(two_workers: Cluster, tmp_path: Path) -> None:
    tasks, victim = [(str(tmp_path), value) for value in range(6)], two_workers.workers[1]
    began: list[str] = []

    def kill_and_go_on() -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            began[:] = [path.name for path in tmp_path.glob(f"began-*-{victim.pid}")]
            if began and len(list(tmp_path.glob("began-*"))) > len(began):  # both are at work
                break
            time.sleep(0.02)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        (tmp_path / "go").touch()

    killer = Thread(target=kill_and_go_on)
    killer.start()
    with executor_from(f"dask:{two_workers.address}") as executor:
        found = dict(completed(work.slow_identity, tasks, executor))
    killer.join()
    survivor = two_workers.workers[0].pid
    assert began and found == {value: (value, survivor) for value in range(6)}


def test_a_scheduler_that_goes_away_is_said(
    two_workers: Cluster, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def kill() -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and not list(tmp_path.glob("began-*")):
            time.sleep(0.02)
        two_workers.scheduler.send_signal(signal.SIGKILL)

    killer = Thread(target=kill)
    killer.start()
    with executor_from(f"dask:{two_workers.address}") as executor:
        results = completed(work.slow_identity, [(str(tmp_path), 1)], executor)
        with pytest.raises(ForecastError, match="the dask scheduler went away: start it again, then the same command"):
            list(results)
    killer.join()
    assert "Traceback" not in capfd.readouterr().err


def test_another_version_on_the_worker_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "sources_digest", lambda: "another")
    with executor_from("processes:1") as executor, pytest.raises(ForecastError, match="another forecast"):
        list(completed(work.squared, [1], executor))


def test_a_scheduler_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "CONNECTING", 0.5)
    for address in ("tcp://127.0.0.1:1", "nonsense://x", "127.0.0.1"):
        with (
            pytest.raises(InputError, match="no dask scheduler answers there"),
            executor_from(f"dask:{address}"),
        ):
            pass
