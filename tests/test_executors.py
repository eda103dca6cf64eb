"""Executors: the same results wherever the work is done, and nothing lost when a worker dies."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import executor_work as work
import pytest

from forecast.errors import ForecastError, InputError
from forecast.executors import completed, executor_from, sources_digest

TASKS = list(range(20))
SQUARES = [value * value for value in TASKS]


def in_order(found):
    return [result for _, result in sorted(found)]


def test_without_an_executor_results_come_in_order():
    for where in (None, "serial"):
        with executor_from(where) as executor:
            assert executor is None
            assert list(completed(work.squared, TASKS, executor)) == list(enumerate(SQUARES))


@pytest.mark.parametrize("where", ["threads:3", "processes:2"])
def test_results_are_those_of_the_serial_work(where):
    with executor_from(where) as executor:
        assert in_order(completed(work.squared, TASKS, executor)) == SQUARES
        assert in_order(completed(work.scaled, TASKS, executor, common=7)) == [7 * value for value in TASKS]
        assert list(completed(work.squared, [], executor)) == []
        assert in_order(completed(work.threads, [0, 1], executor)) == [{1}, {1}]  # linear algebra on one thread


def test_an_executor_of_ones_own_is_taken_and_stays_open():
    with ThreadPoolExecutor(2) as mine:
        with executor_from(mine) as executor:
            assert executor is mine
        assert in_order(completed(work.squared, TASKS, mine)) == SQUARES


@pytest.mark.parametrize(
    "where",
    [
        "",
        "processes",
        "processes:",
        "processes:0",
        "processes:-1",
        "processes:two",
        "processes:99999",
        "threads:1.5",
        "dask",
        "dask:",
        "ray:2",
        "processes:2:3",
    ],
)
def test_any_other_text_is_refused_with_what_to_write(where):
    with pytest.raises(InputError, match="write processes:4, threads:4 or dask:tcp://HOST:PORT"), executor_from(where):
        pass


@pytest.mark.parametrize("where", [None, "threads:2", "processes:2"])
def test_what_a_task_raises_is_raised(where):
    with pytest.raises(ValueError, match="three is not welcome"), executor_from(where) as executor:
        list(completed(work.failing, TASKS, executor))


def test_tasks_of_a_dead_worker_are_done_again(tmp_path: Path):
    tasks = [(str(tmp_path / f"died-{value}") if value in (3, 11) else "", value) for value in TASKS]
    with executor_from("processes:2") as executor:
        assert in_order(completed(work.dying_once, tasks, executor)) == SQUARES
    assert len(list(tmp_path.iterdir())) == 2  # both did kill their worker


def test_a_task_that_kills_every_worker_is_named_and_the_others_are_not_lost():
    found = []
    with executor_from("processes:2") as executor:
        results = completed(work.dying, list(range(8)), executor)
        with pytest.raises(ForecastError, match=r"worker of task 5 died 3 times"):
            found.extend(results)
    assert in_order(found) == [value * value for value in range(8) if value != 5]


def test_a_pool_of_ones_own_that_breaks_is_said_with_the_remedy():
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as mine:
        results = completed(work.dying, [5, 6], mine)
        with pytest.raises(ForecastError, match='executor="processes:4"'):
            list(results)


def test_without_dask_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install 'forecast\[cluster\]'"), executor_from("dask:tcp://x:1"):
        pass


def test_the_digest_of_the_sources_is_the_same_in_another_process():
    with executor_from("processes:1") as executor:
        assert executor is not None
        assert executor.submit(sources_digest).result() == sources_digest()
