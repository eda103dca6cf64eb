"""The server answers this machine's own page and nobody else, in lengths that are right and sentences that are kind."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
from interrupts import interruptible

from forecast.errors import InputError
from forecast.explorer.server import Response, Server, Site, listening, remembered, respond
from forecast.explorer.states import State
from forecast.runs import save_run

PORT = 8765
OWN = {"Host": f"127.0.0.1:{PORT}"}


def told(found: Response) -> Any:
    return json.loads(found.body)


def asked(server: Server, target: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body over a real connection."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    connection.request(method, target, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, dict(response.headers.items()), body


def test_the_page_and_its_files_are_there(shown: Site) -> None:
    for path, kind in (("/", "text/html"), ("/explorer.js", "text/javascript"), ("/explorer.css", "text/css")):
        found = respond(shown, "GET", path, OWN, PORT)
        assert found.status == HTTPStatus.OK and found.kind.startswith(kind) and found.body
    page = respond(shown, "GET", "/", OWN, PORT).body.decode()
    assert "Prior only." in page and 'class="mark">prior only' in page
    assert "http" not in page.replace("http://www.w3.org", "").split("<body>")[0]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "example.org"},
        {"Host": f"example.org:{PORT}"},
        {"Host": "127.0.0.1:1"},
        {"Host": f"127.0.0.1.example.org:{PORT}"},
        OWN | {"Origin": "https://example.org"},
        OWN | {"Origin": "null"},
        OWN | {"Origin": "http://127.0.0.1:1"},
        OWN | {"Sec-Fetch-Site": "cross-site"},
        OWN | {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_strangers_get_no_answer(shown: Site, headers: dict[str, str]) -> None:
    found = respond(shown, "GET", "/answer", headers, PORT)
    assert found.status == HTTPStatus.FORBIDDEN and list(told(found)) == ["error"]


def test_a_link_from_elsewhere_opens_the_page_but_reads_nothing(shown: Site) -> None:
    from_elsewhere = OWN | {"Sec-Fetch-Site": "cross-site"}
    assert respond(shown, "GET", "/", from_elsewhere, PORT).status == HTTPStatus.OK
    assert respond(shown, "GET", "/numbers.csv", from_elsewhere, PORT).status == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("host", [f"127.0.0.1:{PORT}", f"localhost:{PORT}", f"LOCALHOST:{PORT}"])
def test_this_machine_is_answered_under_either_name(shown: Site, host: str) -> None:
    found = respond(shown, "GET", "/answer", {"host": host, "origin": f"http://{host}"}, PORT)
    assert found.status == HTTPStatus.OK and told(found)["now"]["live"]


@pytest.mark.parametrize(
    ("method", "target", "headers", "status"),
    [
        ("POST", "/answer", {}, 405),
        ("GET", "/answer", {"Content-Length": "10"}, 413),
        ("GET", "/answer", {"Transfer-Encoding": "chunked"}, 413),
        ("GET", "/answer?" + "a" * 3000, {}, 414),
        ("GET", "/answer?telepathy=1", {}, 400),
        ("GET", "/answer?scenario=utopia", {}, 400),
        ("GET", "/answer?form=../../etc/passwd", {}, 400),
        ("GET", "/../pyproject.toml", {}, 404),
        ("GET", "/%2e%2e/pyproject.toml", {}, 404),
        ("GET", "/explorer.js/../../server.py", {}, 404),
        ("GET", "//explorer.js", {}, 404),
        ("GET", "http://example.org/answer", {}, 404),
        ("GET", "/favicon.ico", {}, 404),
    ],
)
def test_what_cannot_be_answered_is_said_in_a_sentence(
    shown: Site, method: str, target: str, headers: dict[str, str], status: int
) -> None:
    found = respond(shown, method, target, OWN | headers, PORT)
    assert found.status == status
    assert list(told(found)) == ["error"] and "\n" not in told(found)["error"]


def test_the_same_state_is_the_same_bytes(shown: Site, page: Any) -> None:
    name, value = page.sliders[0].name, page.sliders[0].values[10]
    texts = [f"{name}={value}", f"run={page.digest}&{name}={value!r}", f"scenario=baseline&{name}={value}"]
    assert len({respond(shown, "GET", f"/answer?{text}", OWN, PORT).body for text in texts}) == 1


def test_a_fault_inside_is_no_traceback(
    shown: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_state: State) -> Response:
        raise RuntimeError("secret of the house")

    found = respond(shown._replace(answers={"/answer": broken}), "GET", "/answer", OWN, PORT)
    assert found.status == 500 and told(found) == {"error": "the answer could not be computed: the terminal says why"}
    assert "secret of the house" in capsys.readouterr().err


def test_answers_are_computed_once_and_forgotten_in_turn() -> None:
    import threading

    calls: list[str] = []

    def work(state: State) -> Response:
        calls.append(state.view)
        return Response(HTTPStatus.OK, "text/plain", state.view.encode())

    known = remembered(work, threading.Lock(), size=2)
    with ThreadPoolExecutor(8) as pool:
        assert {one.body for one in pool.map(known, [State(view="a")] * 30)} == {b"a"}
    assert calls == ["a"]
    for view in ("b", "a", "c", "a", "b"):
        known(State(view=view))
    assert calls == ["a", "b", "c", "b"]


def test_a_real_connection_has_a_policy_lengths_and_the_request_s_number(server: Server) -> None:
    status, headers, body = asked(server, "/answer", Request_Number="17")
    assert status == 200 and int(headers["Content-Length"]) == len(body)
    assert headers["Request-Number"] == "17"
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Server"] == "forecast" and headers["Cache-Control"] == "no-store"
    assert "Request-Number" not in asked(server, "/answer", Request_Number="1\u00b2")[1]


def test_a_connection_is_used_again(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    for path in ("/", "/explorer.css", "/answer"):
        connection.request("GET", path)
        assert len(connection.getresponse().read()) > 100
    connection.close()


def test_the_head_is_that_of_the_answer_without_it(server: Server) -> None:
    status, headers, body = asked(server, "/", method="HEAD")
    assert (status, body) == (200, b"") and headers["Content-Length"] == str(len(asked(server, "/")[2]))


@pytest.mark.parametrize(
    "sent",
    [
        b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n",
    ],
)
def test_noise_is_answered_in_json_too(server: Server, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        heard = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = heard.partition(b"\r\n\r\n")
    assert b" 4" in head.splitlines()[0] or b" 5" in head.splitlines()[0]
    assert list(json.loads(body)) == ["error"]


def test_a_file_is_offered_under_a_name(server: Server) -> None:
    status, headers, body = asked(server, "/numbers.csv")
    assert status == 200 and headers["Content-Disposition"] == 'attachment; filename="forecast.csv"'
    assert body.startswith(b"scenario,form,variable,year")


def test_it_listens_on_this_machine_only(server: Server) -> None:
    assert server.server_address[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_one_clear_error(server: Server) -> None:
    with pytest.raises(InputError, match=rf"^port {server.server_port} is in use: choose another with --port"):
        listening(server.server_port)
    with pytest.raises(InputError, match="port 70000 is none"):
        listening(70000)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent otherwise there")
def test_the_command_shows_a_run_until_ctrl_c(prior_run: xr.DataTree, tmp_path: Path) -> None:
    file = save_run(prior_run, tmp_path / "run.nc")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with interruptible("serve", str(file), "--port", "0", "--quiet", **pipes) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        port = int(line.split("/")[2].split(":")[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/answer")
        assert connection.getresponse().status == 200
        connection.close()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "ended\n", "")
