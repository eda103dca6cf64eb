"""Where heavy work runs: in this process, in several, in threads, or on the machines of a dask cluster.

The one thing to know: numbers do not depend on it. Tasks carry their own seeds, results are told apart by the index of
their task, and linear algebra runs on one thread everywhere. ``tests/test_executors.py`` kills workers and counts.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import platform
import re
import signal
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from contextlib import contextmanager
from threading import Lock, Thread
from typing import Any

from threadpoolctl import threadpool_limits

from forecast.errors import ForecastError, InputError
from forecast.places import sources_digest

TRIES = 3  # of a task whose worker dies; the last one alone, so that the guilty task can be named
CONNECTING = 10.0  # seconds that a scheduler has to answer
MOST = 1024
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
MAKING, MADE = Lock(), dict[str, tuple[str, Any]]()  # of a dask worker, two threads may want the same model
REMEDY = "write processes:4, threads:4 or dask:tcp://HOST:PORT, or leave it out for this process alone"


class Processes(Executor):
    """A pool of fresh processes that is made anew when one of them dies; `completed` does again what was lost."""

    def __init__(self, workers: int):
        self.workers = workers
        self.pool = fresh_pool(workers)

    def submit[**P, T](self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """A task handed to the pool, or to a new one where the old one is broken."""
        try:
            return self.pool.submit(work, *args, **kwargs)
        except BrokenExecutor:
            self.pool.shutdown()
            self.pool = fresh_pool(self.workers)
            return self.pool.submit(work, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the pool; without waiting, its processes end at once."""
        processes = list((self.pool._processes or {}).values())
        self.pool.shutdown(wait=wait, cancel_futures=cancel_futures)
        if not wait:
            for process in processes:
                process.terminate()


def fresh_pool(workers: int) -> ProcessPoolExecutor:
    """A pool whose processes begin anew: a copy of this one would share its threads' locks."""
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=begun)


def begun() -> None:
    """What a worker process does first: one thread for what it will load, Ctrl-C left to the process that waits, and watch it."""
    os.environ.update(dict.fromkeys(THREADS, "1"))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=end_with_parent, daemon=True).start()


def end_with_parent() -> None:
    """End this worker when the process that made it is gone, killed perhaps: it would wait for tasks for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def executor_from(where: str | Executor | None) -> Iterator[Executor | None]:
    """The executor that a text names, for as long as the block lasts; one that is given stays open.

    Parameters
    ----------
    where : str, concurrent.futures.Executor or None
        None or "serial": this process alone. "processes:N": N processes of this machine. "threads:N". "dask:ADDRESS": the
        workers of a running dask scheduler, such as ``dask:tcp://10.0.0.1:8786``; each needs this version of forecast.

    Yields
    ------
    concurrent.futures.Executor or None

    Raises
    ------
    InputError
        For any other text, a scheduler that does not answer, or without the extra ``cluster``.

    Examples
    --------
    >>> with executor_from("threads:2") as executor:
    ...     sorted(completed(abs, [-1, -2, -3], executor))
    [(0, 1), (1, 2), (2, 3)]
    """
    if where is None or where == "serial" or isinstance(where, Executor):
        yield where if isinstance(where, Executor) else None
        return
    kind, _, rest = where.partition(":")
    if kind == "dask" and rest:
        with cluster(rest) as executor:
            yield executor
        return
    if kind not in ("processes", "threads") or not re.fullmatch(r"[1-9]\d*", rest) or int(rest) > MOST:
        limit = f"at most {MOST} are started: " if rest.isdecimal() and int(rest[:9] or 0) > MOST else ""
        raise InputError(f"executor {where!r}: {limit}{REMEDY}")
    executor = Processes(int(rest)) if kind == "processes" else ThreadPoolExecutor(int(rest))
    try:
        yield executor
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        raise
    executor.shutdown()


@contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """The workers of a dask scheduler, for as long as the block lasts."""
    try:
        import distributed
    except ImportError:
        raise InputError(
            "dask is not installed: pip install 'forecast[cluster]', or take --executor processes:4"
        ) from None
    with quiet("distributed"):
        yield from connected(distributed, address)


def connected(distributed: Any, address: str) -> Iterator[Executor]:
    """The executor of a scheduler, and afterwards its end."""
    try:
        client = distributed.Client(address, timeout=CONNECTING, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        why = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise InputError(
            f"executor dask:{address}: no dask scheduler answers there ({why}); start one with: dask scheduler"
        ) from error
    with client:
        yield client.get_executor(pure=False)


@contextmanager
def quiet(name: str) -> Iterator[None]:
    """A library's loggers silent: what goes wrong is raised, and its tracebacks are no news for a user."""
    names = [one for one in logging.root.manager.loggerDict if one == name or one.startswith(f"{name}.")]
    before = {one: logging.getLogger(one).level for one in names}
    for one in names:
        logging.getLogger(one).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for one, level in before.items():
            logging.getLogger(one).setLevel(level)


def completed[T, R](
    work: Callable[..., R], tasks: Sequence[T], executor: Executor | None, *, common: Any = None
) -> Iterator[tuple[int, R]]:
    """Index and result of every task, as they come; in order where there is no executor.

    Parameters
    ----------
    work : callable
        A function of a module, which other processes can import; called with the task, or with `common` and the task.
    tasks : sequence
        Plain data.
    executor : concurrent.futures.Executor or None
        From `executor_from`; None: one after the other in this process.
    common : optional
        What all tasks share; a dask cluster gets it once.

    Yields
    ------
    tuple of int and result

    Raises
    ------
    ForecastError
        If a task's worker died three times (said after all other tasks), the cluster went away, or its workers have
        another version of forecast.
    Exception
        Whatever else a task raises; what waits is cancelled.
    """
    given: tuple[Any, ...] = () if common is None else (common,)
    if executor is None or isinstance(executor, ThreadPoolExecutor):
        with threadpool_limits(1):
            if executor is None:
                yield from ((index, work(*given, task)) for index, task in enumerate(tasks))
            else:
                yield from gathered(lambda task: executor.submit(work, *given, task), tasks)
        return
    sent = (sources_digest(), work, *(held_by(executor, one) for one in given))
    window = 2 * executor.workers if isinstance(executor, Processes) else len(tasks)
    try:
        yield from gathered(lambda task: executor.submit(in_worker, *sent, task), tasks, window)
    except BrokenExecutor as error:
        raise ForecastError(
            'a worker process died, and this pool cannot be made anew: give executor="processes:4" instead of a pool'
        ) from error


def gathered[T, R](
    submit: Callable[[T], Future[R]], tasks: Sequence[T], window: int | None = None
) -> Iterator[tuple[int, R]]:
    """Index and result of tasks as they come, at most `window` of them handed out, those of a dead worker again.

    Only what was handed out may have been lost, so a task that waits never pays for the death of another's worker.
    """
    waiting, tries, under_way = deque(range(len(tasks))), Counter[int](), dict[Future[R], int]()
    deadly = dict[int, Exception]()
    most = window or max(len(tasks), 1)
    try:
        while waiting or under_way:
            while waiting and len(under_way) < (1 if tries[waiting[0]] == TRIES - 1 else most):
                index = waiting.popleft()
                under_way[submit(tasks[index])] = index
            for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                index = under_way.pop(future)
                try:
                    result = future.result()
                except BrokenExecutor as error:
                    tries[index] += 1
                    if tries[index] < TRIES:
                        waiting.append(index)
                    else:
                        deadly[index] = error
                except CancelledError as error:
                    raise ForecastError(
                        "the dask scheduler went away: start it again, then the same command"
                    ) from error
                except Exception as error:
                    if type(error).__name__ != "KilledWorker":  # dask itself tried it on several workers
                        raise
                    deadly[index] = error
                else:
                    yield index, result
            waiting = deque(sorted(waiting, key=tries.__getitem__))
    finally:
        for future in under_way:
            future.cancel()
    if deadly:  # after all others, whose results are worth having
        index = min(deadly)
        others = f" and {len(deadly) - 1} more" if len(deadly) > 1 else ""
        raise ForecastError(
            f"the worker of task {shown(tasks[index])}{others} died {TRIES} times, killed for memory perhaps: use fewer "
            "workers or fewer draws"
        ) from deadly[index]


def shown(task: Any) -> str:
    """A task in few characters: what it says it is called, else its beginning.

    >>> shown(("baseline", 1))
    "('baseline', 1)"
    """
    text = str(getattr(task, "label", None) or repr(task))
    return text if len(text) <= 80 else f"{text[:79]}…"


def held_by(executor: Executor, value: Any) -> Any:
    """The value as tasks are given it: on a dask cluster a future, which any worker can have and none can lose."""
    client = getattr(executor, "_client", None)
    if client is None:
        return value
    import dask

    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}):
        return client.submit(itself, value, pure=False)


def itself[T](value: T) -> T:
    """The value."""
    return value


def in_worker(version: str, work: Callable[..., Any], *given: Any) -> Any:
    """The work on one thread, in a worker with the same sources as the process that asked.

    Raises
    ------
    ForecastError
        If this worker's forecast is another: its numbers could be too.
    """
    if version != sources_digest():
        raise ForecastError(
            f"the worker on {platform.node()} has another forecast than the process that asked it: install the same one "
            "there, start it again, and edit no source while it works"
        )
    threadpool_limits(1)  # for good: other tasks of this worker want the same
    return work(*given)


def once[T](kind: str, key: str, make: Callable[[], T]) -> T:
    """What `make` returns, made once in this process for a key: a compiled model; the one before of its kind is let go.

    >>> once("doctest", "a", lambda: [1]) is once("doctest", "a", lambda: [2])
    True
    """
    with MAKING:
        if kind not in MADE or MADE[kind][0] != key:
            MADE[kind] = (key, make())
        made: T = MADE[kind][1]
        return made
