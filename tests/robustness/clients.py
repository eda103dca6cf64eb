"""Clients of the page that mean well and clients that do not, over real connections."""

from __future__ import annotations

import http.client
import json
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

PATIENCE = 300.0  # a request that takes longer has hung; the slowest machine needs a tenth of it
BUSY = 503  # "ask again in a moment"


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that comes to pass, on any machine, before patience ends."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came to pass"
        time.sleep(0.01)


def connected(port: int, seconds: float = PATIENCE, receive: int | None = None) -> socket.socket:
    """A connection to the page; `receive` is the size of its buffer, small for a client that does not read."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if receive is not None:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    made.settimeout(seconds)
    made.connect(("127.0.0.1", port))
    return made


def request(target: str, port: int, method: str = "GET", host: str | None = None, **headers: str) -> bytes:
    """A request as it goes over the wire; a header's name with _ for -."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host or f'127.0.0.1:{port}'}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def heard(port: int, sent: bytes, ends: bool = True) -> tuple[int, dict[str, str], bytes]:
    """Status, headers (lower case) and body of the first answer to these bytes; `ends`: nothing is sent after them."""
    with connected(port) as connection:
        connection.sendall(sent)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        response = http.client.HTTPResponse(connection, method="HEAD" if sent.startswith(b"HEAD ") else None)
        response.begin()
        return response.status, {k.lower(): v for k, v in response.headers.items()}, response.read()


def sentence(body: bytes) -> str:
    """The one sentence of a refusal."""
    told = json.loads(body)
    assert list(told) == ["error"] and told["error"] and "\n" not in told["error"], told
    assert "Traceback" not in told["error"]
    return str(told["error"])


def answered(port: int, target: str) -> bytes:
    """What a well-meaning client gets in the end: it asks again where the page says that it is busy."""
    while True:
        status, headers, body = heard(port, request(target, port), ends=False)
        if status != BUSY:
            assert status == 200, (status, target, body[:200])
            assert int(headers["content-length"]) == len(body)
            return body


def byte_by_byte(port: int, luck: random.Random, ended: threading.Event) -> None:
    """Says a header that never ends, a byte at a time."""
    with connected(port) as connection:
        connection.sendall(request("/", port)[:-2] + b"X-Slow: ")
        while not ended.wait(0.02):
            connection.sendall(b"a")


def cut_off(port: int, luck: random.Random, ended: threading.Event) -> None:
    """Goes away in the middle of a request or of its answer, sometimes with a reset."""
    whole = request("/answer", port)
    with connected(port) as connection:
        if luck.random() < 0.5:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(whole[: luck.randrange(1, len(whole) + 1)])
        if luck.random() < 0.5:
            connection.shutdown(socket.SHUT_WR)


def garbage(port: int, luck: random.Random, ended: threading.Event) -> None:
    """Sends noise, or a request with some bytes changed."""
    noise = bytearray(luck.randbytes(luck.randrange(1, 4000)))
    if luck.random() < 0.7:
        noise = bytearray(request("/answer?scenario=baseline", port))
        for _ in range(luck.randrange(1, 6)):
            noise[luck.randrange(len(noise))] = luck.randrange(256)
    with connected(port) as connection:
        connection.sendall(bytes(noise) + b"\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


def never_reads(port: int, luck: random.Random, ended: threading.Event) -> None:
    """Asks for more than its buffers hold, again and again, and reads none of it."""
    with connected(port, receive=2048) as connection:
        connection.sendall(request("/", port) * 40)
        ended.wait(2.0)


def foreign(port: int, luck: random.Random, ended: threading.Event) -> None:
    """A site whose name was bound to this machine, and one that writes."""
    said = luck.choice(
        [
            request("/answer", port, host=f"evil.example:{port}"),
            request("/answer", port, Origin="https://evil.example"),
            request("/answer", port, "POST", Content_Length="3000000") + b"{" * 3_000_000,
            request("/" + "a" * 40_000, port),
        ]
    )
    status, _, body = heard(port, said)
    assert status in (403, 405, 431), status
    sentence(body)


HOSTILE: Mapping[str, Callable[[int, random.Random, threading.Event], None]] = {
    "byte by byte": byte_by_byte,
    "cut off": cut_off,
    "garbage": garbage,
    "never reads": never_reads,
    "foreign": foreign,
}


def pestered(port: int, kind: str, seed: int, ended: threading.Event, done: Callable[[str, int], Any]) -> None:
    """One kind of hostile client, over and over until the end; that the server hangs up on it is no fault."""
    luck = random.Random(seed)
    while not ended.wait(0.02):  # they share a processor with the server and with those who mean well
        with suppress(OSError, http.client.HTTPException):
            HOSTILE[kind](port, luck, ended)
        done(f"hostile requests: {kind}", 1)
