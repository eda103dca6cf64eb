"""What one client may take of the page, and right answers for all while some do their worst.

The crowd is 20 clients: 60 requests in the usual run, 1,000 in the slow one, each answer held against the one computed alone.
"""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from robustness.clients import HOSTILE, PATIENCE, answered, connected, heard, pestered, request, sentence, until
from serving import served

from forecast.explorer import Explorer, State, answer
from forecast.explorer.connections import LONGEST_HEAD, PLACES, Places, next_head
from forecast.explorer.downloads import numbers_csv
from forecast.explorer.server import Server, site
from forecast.explorer.states import query, state_of

CLIENTS = 20


@pytest.fixture(scope="module")
def page(page: Explorer) -> Explorer:
    """As `serve` has it: the paths are integrated by compiled loops, several times faster."""
    return replace(page, engine="compiled")


@pytest.fixture
def server(page: Explorer) -> Iterator[Server]:
    """A server that has answered nothing yet."""
    with served(site(page)) as found:
        yield found


def serving() -> int:
    """Threads that serve a connection."""
    return sum("process_request_thread" in thread.name for thread in threading.enumerate())


# What one client may take


def test_a_request_that_never_ends_is_left_after_its_time() -> None:
    """However often a byte comes: the time is that of the whole request."""
    ours, theirs = socket.socketpair()
    ended = threading.Event()

    def dribble() -> None:
        while not ended.is_set():
            theirs.sendall(b"a")
            ended.wait(0.001)

    with ours, theirs:
        thread = threading.Thread(target=dribble)
        thread.start()
        with pytest.raises(TimeoutError):
            next_head(ours, seconds=0.2, longest=10**9)
        ended.set()
        thread.join()


def test_requests_sent_at_once_are_read_one_by_one() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"\r\nGET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\nGET /c")
        theirs.shutdown(socket.SHUT_WR)
        first, beyond = next_head(ours)
        second, beyond = next_head(ours, beyond)
        assert (first, second) == (b"GET /a HTTP/1.1\r\n\r\n", b"GET /b HTTP/1.1\r\n\r\n")
        assert next_head(ours, beyond) == (b"GET /c", b"") and next_head(ours, b"") == (b"", b"")


@pytest.mark.parametrize("size", [LONGEST_HEAD + 1, 10 * LONGEST_HEAD])
def test_a_head_is_bounded(server: Server, size: int) -> None:
    said = request("/", server.server_port, Padding="a" * size)
    status, _, body = heard(server.server_port, said)
    assert status == 431 and str(LONGEST_HEAD) in sentence(body)


@pytest.mark.parametrize("end", range(1, 40, 6))
def test_a_request_that_is_cut_off_is_not_taken_for_a_whole_one(server: Server, end: int) -> None:
    whole = request("/answer", server.server_port)
    status, _, body = heard(server.server_port, whole[:-end])
    assert status == 400 and "cut off" in sentence(body)


def test_clients_that_keep_the_server_waiting_keep_nobody_else_waiting(server: Server) -> None:
    """Three times as many as there are places; the threads stay as many as the places."""
    port = server.server_port
    idle = [connected(port) for _ in range(3 * PLACES)]
    for connection in idle[::2]:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: ")
    assert heard(port, request("/explorer.css", port))[0] == 200
    assert serving() <= PLACES
    for connection in idle:
        connection.close()
    until(lambda: serving() == 0)
    assert heard(port, request("/explorer.css", port))[0] == 200


def test_where_nobody_can_be_sent_away_there_is_no_place() -> None:
    places = Places(2)
    assert places.take() and places.take()
    assert not places.take()
    places.leave()
    assert places.take()


# The crowd


def crowd_states(page: Explorer, count: int) -> list[str]:
    """Targets with states all over what the page allows, some of them several times over."""
    luck = random.Random(8)
    found = []
    for k in range(count):
        chosen = luck.sample(page.sliders, luck.randrange(3))
        fixed = {slider.name: luck.choice(slider.values) for slider in chosen}
        state = State(
            scenario=luck.choice(list(page.scenarios)),
            form=luck.choice(list(page.allowed.choices["form"])) if k % 4 == 0 else "section5",
            view=luck.choice(list(page.allowed.choices["view"])) if k % 5 == 0 else "none",
            fixed=tuple((slider.name, fixed[slider.name]) for slider in page.sliders if slider.name in fixed),
        )
        path = "/numbers.csv" if k % 10 == 9 else "/answer"
        found.append(f"{path}?{query(state, page.digest)}")
    return found


def alone(page: Explorer, target: str) -> bytes:
    """The answer to a state, computed with no server around it."""
    path, _, text = target.partition("?")
    state = state_of(text, page.allowed)
    return (numbers_csv(page, state) if path == "/numbers.csv" else json.dumps(answer(page, state))).encode()


@pytest.mark.parametrize(
    ("requests", "different"), [(60, 12), pytest.param(1000, 320, marks=pytest.mark.slow)], ids=["share", "whole"]
)
def test_a_crowd_with_hostile_clients_in_it_gets_right_answers(
    server: Server, page: Explorer, counts: Any, requests: int, different: int, capsys: pytest.CaptureFixture[str]
) -> None:
    port, begun = server.server_port, time.monotonic()
    known = crowd_states(page, different)
    right = {target: alone(page, target) for target in known}
    asked = [random.Random(k).choice(known) for k in range(requests - different)] + known
    random.Random(1).shuffle(asked)
    ended = threading.Event()
    pests = [
        threading.Thread(target=pestered, args=(port, kind, seed, ended, counts.add), daemon=True)
        for seed, kind in enumerate(HOSTILE)
    ]
    for pest in pests:
        pest.start()
    try:
        with ThreadPoolExecutor(CLIENTS) as clients:
            got = list(clients.map(lambda target: answered(port, target), asked))
    finally:
        ended.set()
    for pest in pests:
        pest.join(PATIENCE)
        assert not pest.is_alive()
    wrong = [target for target, body in zip(asked, got, strict=True) if body != right[target]]
    assert wrong == [] and len(got) == requests
    assert capsys.readouterr().err == ""
    until(lambda: serving() == 0)
    counts.add("requests of the crowd, all answered rightly", requests)
    counts.add("seconds of the crowd", round(time.monotonic() - begun, 1))
