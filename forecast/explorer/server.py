"""The page's server: standard library, 127.0.0.1 only, answers and never writes.

A browser lets any site send requests to this machine. So a request must name this very server as its host, must not come
from another origin (`refused_by`), and gets nothing but what `respond` knows. ``tests/explorer/test_server.py`` pins each
refusal.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
import traceback
import webbrowser
from collections import OrderedDict
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any, NamedTuple

import xarray as xr

from forecast.errors import ForecastError, InputError
from forecast.explorer.answers import answer
from forecast.explorer.conditioned import Explorer, explorer, warm
from forecast.explorer.connections import END_OF_HEAD, LONGEST_HEAD, PLACES, Places, linger, next_head
from forecast.explorer.downloads import numbers_csv, numbers_json
from forecast.explorer.page import documents
from forecast.explorer.refusals import HOST, JSON, Response, only_read, refusal, refused_by, well_formed
from forecast.explorer.states import State, short, state_of
from forecast.scenarios import Course

PORT = 8765
WRITING_SECONDS = 20.0  # a client that reads no further is left
BUSY_SECONDS = 30.0  # a request waits so long for those before it
LATER: tuple[Course, ...] = ("frozen", "leap")  # compiled while the page is shown already
REMEMBERED = 256  # answers that are kept
CSV = "text/csv; charset=utf-8"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
NUMBER = "Request-Number"  # which request of the page this is; sent back so that a late answer can be told


class Site(NamedTuple):
    """What is served: fixed documents, and by path a function from a checked state to its answer."""

    page: Explorer
    documents: Mapping[str, tuple[str, bytes]]
    answers: Mapping[str, Callable[[State], Response]]


def serve(
    run: xr.DataTree, port: int = PORT, *, open_browser: bool = False, say: Callable[[str], None] = print
) -> None:
    """Show a run as a page with sliders at http://127.0.0.1:port/ until Ctrl-C.

    Parameters
    ----------
    run : xarray.DataTree
        A fitted run or one of the prior.
    port : int
        0 for any that is free.
    open_browser : bool
        Open the page in the browser of this machine.
    say : callable
        Told the address, and when it ends.

    Returns
    -------
    None

    Raises
    ------
    InputError
        If the port cannot be used, or the run is none.

    Examples
    --------
    >>> import forecast as fc
    >>> fc.serve(fc.load_run("forecast-out/run.nc"), port=0)  # doctest: +SKIP
    """
    ended = threading.Event()

    def compile_the_rest() -> None:
        try:
            warm(page, *LATER)
        except Exception:
            if not ended.is_set():  # Python is going down and gives no more threads: nobody waits for this any more
                raise

    with listening(port) as server:  # a port that is taken is said before the seconds that the run takes
        try:
            page = explorer(run, engine="compiled")
            warm(page, "trend")
            threading.Thread(target=compile_the_rest, daemon=True).start()
            server.site = site(page)
            say(f"{address(server)} shows the run; Ctrl-C ends it")
            if open_browser:
                webbrowser.open(address(server))
            server.serve_forever()
        except KeyboardInterrupt:
            ended.set()
            say("ended")


def site(page: Explorer) -> Site:
    """What is served for a run."""
    answers = {
        "/answer": lambda state: Response(
            HTTPStatus.OK, JSON, json.dumps(answer(page, state), allow_nan=False).encode()
        ),
        "/numbers.csv": lambda state: download("forecast.csv", CSV, numbers_csv(page, state)),
        "/numbers.json": lambda state: download("forecast.json", JSON, numbers_json(page, state)),
    }
    turn = threading.Lock()
    return Site(page, documents(page), {path: remembered(work, turn) for path, work in answers.items()})


def download(name: str, kind: str, text: str) -> Response:
    """A file to be saved."""
    return Response(HTTPStatus.OK, kind, text.encode(), {"Content-Disposition": f'attachment; filename="{name}"'})


def remembered(
    work: Callable[[State], Response], turn: threading.Lock, size: int = REMEMBERED
) -> Callable[[State], Response]:
    """`work` with its last answers kept; one at a time is computed, and nobody computes what another just did."""
    kept: OrderedDict[State, Response] = OrderedDict()
    touching = threading.Lock()

    def known(state: State) -> Response | None:
        with touching:
            if state in kept:
                kept.move_to_end(state)
            return kept.get(state)

    def answered(state: State) -> Response:
        found = known(state)
        if found is not None:
            return found
        if not turn.acquire(timeout=BUSY_SECONDS):
            return refusal(HTTPStatus.SERVICE_UNAVAILABLE, "too many questions at once: ask again in a moment")
        try:
            found = known(state) or work(state)
        finally:
            turn.release()
        with touching:
            kept[state] = found
            while len(kept) > size:
                kept.popitem(last=False)
        return found

    return answered


def respond(site: Site, method: str, target: str, headers: Mapping[str, str], port: int) -> Response:
    """The answer to a request; `headers` by their names, in any case.

    A fault of the question is a sentence with status 4xx, one of the answer a sentence with status 500.
    """
    refused = refused_by(method, target, {name.lower(): value for name, value in headers.items()}, port)
    if refused is not None:
        return refused
    path, _, text = target.partition("?")
    if path in site.documents:
        return Response(HTTPStatus.OK, *site.documents[path])
    if path not in site.answers:
        return refusal(HTTPStatus.NOT_FOUND, "there is nothing of that name here: open / for the page")
    try:
        return site.answers[path](state_of(text, site.page.allowed))
    except InputError as error:
        return refusal(HTTPStatus.BAD_REQUEST, str(error))
    except ForecastError as error:
        return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
    except Exception:  # the border: a fault of ours must neither end the server nor reach the browser
        traceback.print_exc(file=sys.stderr)
        return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "the answer could not be computed: the terminal says why")


class Server(ThreadingHTTPServer):
    """A server on this machine alone; it has its `site` before it runs."""

    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # elsewhere it lets two servers share a port
    allow_reuse_port = False
    request_queue_size = PLACES
    site: Site

    def __init__(self, port: int) -> None:
        self.places = Places()
        super().__init__((HOST, port), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread for the connection, if there is a place for one."""
        if not self.places.take():
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread could be had
            self.places.leave()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """What the thread does, and its place free again."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.places.leave()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks off is nobody's fault."""
        if not isinstance(sys.exception(), (OSError, TimeoutError)):
            traceback.print_exc(file=sys.stderr)


class Handler(BaseHTTPRequestHandler):
    """Reads a request, asks `respond`, and writes the answer with its length."""

    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # of a request that names none: 0.9 would be answered without a status
    server: Server
    beyond = b""  # what came after the last request's head

    def version_string(self) -> str:
        """Who answers, without versions."""
        return "forecast"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the terminal shows the address, and what goes wrong."""

    def handle_one_request(self) -> None:
        """Read a whole head within its time and size, then what the base class does with it."""
        self.requestline, self.request_version, self.command, self.headers = "", "HTTP/1.1", "", HTTPMessage()
        try:
            with self.server.places.waiting_for(self.connection):
                head, self.beyond = next_head(self.connection, self.beyond)
        except TimeoutError:
            head = b""
        if not head:
            self.close_connection = True
        elif len(head) > LONGEST_HEAD:
            self.send_error(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"a request has at most {LONGEST_HEAD} bytes here"
            )
        elif not head.endswith(END_OF_HEAD):
            self.send_error(HTTPStatus.BAD_REQUEST, "the request is cut off")
        else:
            self.rfile = BytesIO(head)
            super().handle_one_request()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """A request that cannot even be read, as JSON too."""
        unknown = code == HTTPStatus.NOT_IMPLEMENTED  # the base class looks for a method of the request's name
        self.write(only_read() if unknown else refusal(HTTPStatus(code), short(message or HTTPStatus(code).phrase)))

    def answer(self) -> None:
        """Answer one request."""
        if not well_formed(self.headers):
            self.send_error(HTTPStatus.BAD_REQUEST, "the request's headers cannot be read")
            return
        self.write(
            respond(self.server.site, self.command, self.path, dict(self.headers.items()), self.server.server_port)
        )

    def write(self, found: Response) -> None:
        """Write an answer; a refused request may have more to say, which nobody reads."""
        refused = found.status >= HTTPStatus.BAD_REQUEST
        if refused:
            self.close_connection = True
        self.send_response(found.status)
        number = self.headers.get(NUMBER, "")
        echoed = {NUMBER: number} if number.isascii() and number.isdigit() and len(number) < 16 else {}
        closing = {"Connection": "close"} if self.close_connection else {}
        sizes = {"Content-Type": found.kind, "Content-Length": str(len(found.body))}
        for name, value in (sizes | HEADERS | dict(found.further) | echoed | closing).items():
            self.send_header(name, value)
        with self.server.places.waiting_for(self.connection):
            self.connection.settimeout(WRITING_SECONDS)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(found.body)
            if refused:
                linger(self.connection)

    do_GET = do_HEAD = answer  # noqa: N815  # names that the base class looks for


def listening(port: int = PORT) -> Server:
    """A server bound to a port of 127.0.0.1, which answers once it has a `site` and runs.

    Raises
    ------
    InputError
        If the port cannot be had.
    """
    if not 0 <= port <= 65535:
        raise InputError(f"port {port} is none: give one from 1 to 65535, or 0 for any that is free")
    try:
        return Server(port)
    except OSError as error:
        why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror})"
        raise InputError(f"port {port} {why}: choose another with --port, or --port 0 for any that is free") from error


def address(server: Server) -> str:
    """Where the page is."""
    return f"http://{HOST}:{server.server_port}/"
