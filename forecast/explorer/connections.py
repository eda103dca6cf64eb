"""What one client may take of the page's server: bytes, seconds and a place; whoever keeps it waiting longest goes first.

A browser may open many connections and say nothing on them, and a client may send a byte a second or stop reading.
``tests/robustness/test_page.py`` does all of that at once and asks for right answers meanwhile.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PLACES = 64  # connections at once, each with a thread; a browser opens 6
HEAD_SECONDS = 20.0  # from the end of one request to the end of the next one's head
LONGEST_HEAD = 16_384  # bytes of a request's line and headers together
END_OF_HEAD = b"\r\n\r\n"
PIECE = 8_192
LEAVING_SECONDS = 1.0  # a thread whose connection was shut needs milliseconds to end
LINGERING_SECONDS = 1.0
LINGERING_BYTES = 2**22


class Places:
    """Places for connections; where all are taken, the one that has kept the server waiting longest is shut.

    Waiting for a client is reading its request and writing the answer, not computing one: a client that wants an answer
    keeps the server waiting for a millisecond and is never the longest.
    """

    def __init__(self, count: int = PLACES) -> None:
        self._free = threading.BoundedSemaphore(count)
        self._waiting: dict[socket.socket, None] = {}  # in the order in which the waiting began
        self._touching = threading.Lock()

    def take(self) -> bool:
        """Whether there is a place, which is then taken until `leave`."""
        return self._free.acquire(blocking=False) or (self._shut() and self._free.acquire(timeout=LEAVING_SECONDS))

    def leave(self) -> None:
        """Give a place back."""
        self._free.release()

    @contextmanager
    def waiting_for(self, connection: socket.socket) -> Iterator[None]:
        """While the server waits for a client, its connection may be shut for another's sake."""
        with self._touching:
            self._waiting[connection] = None
        try:
            yield
        finally:
            with self._touching:
                self._waiting.pop(connection, None)

    def _shut(self) -> bool:
        """Shut the connection that is waited for longest, if any is."""
        with self._touching:
            longest = next(iter(self._waiting), None)
            if longest is None:
                return False
            del self._waiting[longest]
            with suppress(OSError):  # gone already
                longest.shutdown(socket.SHUT_RDWR)
        return True


def next_head(
    connection: socket.socket, begun: bytes = b"", seconds: float = HEAD_SECONDS, longest: int = LONGEST_HEAD
) -> tuple[bytes, bytes]:
    """A request's line and headers with the blank line behind them, and the bytes that came after.

    A head that ends otherwise was cut off or is too long; an empty one: nothing more is said. `begun` are the bytes that
    came after the one before.

    Raises
    ------
    TimeoutError
        If it is not there after so many seconds, however often a byte of it comes.
    """
    deadline = time.monotonic() + seconds
    found = begun.lstrip(b"\r\n")
    while END_OF_HEAD not in found and len(found) <= longest:
        left = deadline - time.monotonic()
        if left <= 0.0:
            raise TimeoutError("the request took too long")
        connection.settimeout(left)
        piece = connection.recv(PIECE)
        if not piece:
            return found, b""
        found = (found + piece).lstrip(b"\r\n")
    head, end, after = found.partition(END_OF_HEAD)
    return (head + end, after) if len(head) <= longest else (head, b"")


def linger(connection: socket.socket, seconds: float = LINGERING_SECONDS, most: int = LINGERING_BYTES) -> None:
    """Say that nothing more is said and swallow what is still sent: closing at once would take back the refusal."""
    deadline = time.monotonic() + seconds
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        while most > 0 and (left := deadline - time.monotonic()) > 0.0:
            connection.settimeout(left)
            piece = connection.recv(PIECE)
            if not piece:
                return
            most -= len(piece)
