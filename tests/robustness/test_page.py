"""The page among strangers: who may ask it, what may be asked, and what an answer tells the browser.

``tests/explorer/test_server.py`` pins the single refusals; here they are tried in numbers and over real connections.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from robustness.clients import heard, request, sentence
from serving import served

from forecast.errors import InputError
from forecast.explorer import Explorer
from forecast.explorer.connections import LONGEST_HEAD
from forecast.explorer.server import Server, respond, site
from forecast.explorer.states import query, state_of


@pytest.fixture(scope="module")
def server(page: Explorer) -> Iterator[Server]:
    """The page on a free port."""
    with served(site(page)) as found:
        yield found


# Who may ask

FOREIGN = (
    "evil.example",
    "evil.example:{port}",
    "127.0.0.1",
    "127.0.0.1:1",
    "127.0.0.1.evil.example:{port}",
    "0.0.0.0:{port}",
)
FOREIGN += (
    "[::]:{port}",
    "localhost.:{port}",
    "user@127.0.0.1:{port}",
    "127.0.0.1:{port}@evil.example",
    "2130706433:{port}",
)
FOREIGN += ("127.1:{port}", "169.254.169.254:{port}", "127.0.0.1:{port},evil.example", "127.0.0.1:0{port}", "")
ORIGINS = (
    "null",
    "https://evil.example",
    "http://evil.example:{port}",
    "http://127.0.0.1:1",
    "https://127.0.0.1:{port}",
    "file://",
    "",
)
TARGETS = ("/", "/answer", "/numbers.csv", "/numbers.json", "/explorer.js")


def test_no_other_host_is_answered(server: Server, counts: Any) -> None:
    port = server.server_port
    for host, target in product(FOREIGN, TARGETS):
        raw = f"GET {target} HTTP/1.1\r\nHost: {host.format(port=port)}\r\n\r\n".encode()
        status, _, body = heard(port, raw)
        assert status == 403 and str(port) in sentence(body), host
    counts.add("foreign hosts and origins", len(FOREIGN) * len(TARGETS))


def test_no_other_origin_is_answered(server: Server, counts: Any) -> None:
    port = server.server_port
    for origin, target in product(ORIGINS, TARGETS):
        status, headers, body = heard(port, request(target, port, Origin=origin.format(port=port)))
        assert status == 403 and sentence(body), origin
        assert not any(name.startswith("access-control") for name in headers)
    for site_of, target in product(("cross-site", "same-site", "nonsense"), TARGETS[1:]):
        assert heard(port, request(target, port, Sec_Fetch_Site=site_of))[0] == 403
    counts.add("foreign hosts and origins", len(ORIGINS) * len(TARGETS) + 3 * len(TARGETS[1:]))


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LocalHost", "[::1]"])
def test_this_machine_is_answered_by_each_of_its_names(server: Server, name: str) -> None:
    host = f"{name}:{server.server_port}"
    assert (
        heard(server.server_port, request("/explorer.css", server.server_port, host=host, Origin=f"http://{host}"))[0]
        == 200
    )


def test_the_port_that_browsers_leave_out_may_be_left_out(page: Explorer) -> None:
    shown = site(page)
    assert respond(shown, "GET", "/", {"Host": "127.0.0.1"}, 80).status == 200
    assert respond(shown, "GET", "/", {"Host": "127.0.0.1"}, 8765).status == 403


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (b"", 403),  # no host at all
        (b"Host: 127.0.0.1:{port}\r\nHost: evil.example\r\n", 400),
        (b"Host: evil.example\r\nHost: 127.0.0.1:{port}\r\n", 400),
        (b"Host: 127.0.0.1:{port}\r\nOrigin: https://evil.example\r\nOrigin: http://127.0.0.1:{port}\r\n", 400),
        (b"Host : 127.0.0.1:{port}\r\n", 400),
        (b"Host: 127.0.0.1:{port}\r\nno colon\r\nOrigin: https://evil.example\r\n", 400),  # the rest is not read
        (b" Host: 127.0.0.1:{port}\r\n", 400),
        (b"Host: 127.0.0.1:{port}\r\nContent-Length: 0\r\nContent-Length: 9\r\n", 400),
        (b"Host: 127.0.0.1:{port}\r\nContent-Length: -1\r\n", 413),
        (b"Host: 127.0.0.1:{port}\r\nTransfer-Encoding: chunked\r\n", 413),
    ],
)
def test_headers_that_can_be_read_in_two_ways_are_refused(server: Server, lines: bytes, status: int) -> None:
    port = server.server_port
    found, _, body = heard(port, b"GET /answer HTTP/1.1\r\n" + lines.replace(b"{port}", str(port).encode()) + b"\r\n")
    assert found == status and sentence(body)


# What may be asked


METHODS = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "BREW", "get")


@pytest.mark.parametrize("method", METHODS)
def test_the_page_is_only_read(server: Server, method: str) -> None:
    status, headers, body = heard(server.server_port, request("/answer", server.server_port, method))
    assert (status, headers["allow"]) == (405, "GET, HEAD") and "use GET" in sentence(body)


UP = ("../", "%2e%2e/", "%2e%2e%2f", "..%5c", "..\\", "%252e%252e%252f", "....//", "..;/", "%c0%ae%c0%ae/")
PATHS = [f"{start}{up * 8}etc/passwd" for start in ("/", "/static/", "/explorer.js/") for up in UP]
PATHS += [
    "/explorer.js%00",
    "/\x00",
    "//etc/passwd",
    "/etc/passwd",
    "file:///etc/passwd",
    "http://[",
    "/explorer.css/",
    "*",
]
PATHS += [
    "/server.py",
    "/templates/explorer.html.j2",
    "/.git/config",
    "/Explorer.js",
    "/explorer.js;",
    "\\explorer.js",
    "/%65xplorer.js",
]


def test_nothing_but_the_page_s_own_files_is_served(server: Server, counts: Any) -> None:
    for path in PATHS:
        status, _, body = heard(server.server_port, request(path, server.server_port))
        assert status == 404 and sentence(body), path
    counts.add("paths out of the page", len(PATHS))


BAD_VALUES = (
    "NaN",
    "nan",
    "Infinity",
    "-inf",
    "1e999",
    "9" * 1500,
    "0x10",
    "1_0",
    "\u0661",
    "",
    "[[1]]",
    "{0}",
    "%s",
    "__import__('os')",
)


def bad_states(page: Explorer) -> list[str]:
    """Queries that describe no state."""
    name, (low, high) = page.sliders[0].name, page.sliders[0].ends
    found = [f"{name}={value}".encode().decode("latin-1") for value in BAD_VALUES]
    found += [
        f"{name}={low}&{name}={high}",
        "scenario=baseline&scenario=baseline",
        f"{name}={2 * high}",
        "run=0",
        "run=",
    ]
    found += [
        "scenario=../../x",
        "view=/etc/passwd",
        "form=__class__",
        "view=%00",
        "scenario=<script>alert(1)</script>",
        "x",
    ]
    found += [
        "&".join(f"a{k}=1" for k in range(200)),
        "{}",
        json.dumps({"fixed": {name: 1}}),
        "=",
        "&&",
        "%",
        "[" * 1900,
    ]
    return found


def test_bad_states_are_refused_in_a_sentence(server: Server, page: Explorer, counts: Any) -> None:
    port = server.server_port
    for text in bad_states(page):
        for path in ("/answer", "/numbers.csv"):
            status, _, body = heard(port, request(f"{path}?{text.replace(' ', '+')}", port))
            assert status == 400 and sentence(body), text
    counts.add("bad states", 2 * len(bad_states(page)))


BODIES = [
    b'{"returns": NaN}',
    b'{"returns": Infinity}',
    b"[" * 200_000,
    b'{"a": 1, "a": 2}',
    b"9" * 2_000_000,
    b"\x80\x04.",
]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_state_in_a_body_is_not_even_read(server: Server, method: str) -> None:
    for body in BODIES:
        said = request(
            "/answer", server.server_port, method, Content_Type="application/json", Content_Length=str(len(body))
        )
        status, _, told = heard(server.server_port, said + body)
        assert status == {"GET": 413, "POST": 405}[method] and sentence(told)


@pytest.mark.parametrize("cases", [60, pytest.param(2000, marks=pytest.mark.slow)])
def test_a_share_link_is_data_within_the_sliders(page: Explorer, counts: Any, cases: int) -> None:
    names = st.sampled_from([*page.allowed.ranges, *page.allowed.choices, "run"]) | st.text(max_size=9)
    values = (
        st.floats().map(repr)
        | st.sampled_from([o for known in page.allowed.choices.values() for o in known])
        | st.text(max_size=9)
    )
    pairs = st.lists(st.tuples(names, values).map("=".join), max_size=4).map("&".join)

    @settings(max_examples=cases)
    @given(pairs | st.text(max_size=40))
    def holds(text: str) -> None:
        try:
            found = state_of(text, page.allowed)
        except InputError:
            return
        assert all(low <= value <= high for name, value in found.fixed for low, high in [page.allowed.ranges[name]])
        assert all(getattr(found, name) in known for name, known in page.allowed.choices.items())
        assert state_of(query(found, page.digest), page.allowed) == found

    holds()
    counts.add("share links", cases)


# What an answer tells the browser

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}


@pytest.mark.parametrize(
    ("target", "method", "status"),
    [
        ("/", "GET", 200),
        ("/answer", "HEAD", 200),
        ("/answer?x=1", "GET", 400),
        ("/no", "GET", 404),
        ("/", "PUT", 405),
        ("/" + "a" * 3000, "GET", 414),
        ("/" + "a" * LONGEST_HEAD, "GET", 431),
    ],
    ids=lambda value: str(value)[:9],
)
def test_every_answer_carries_the_policy(server: Server, target: str, method: str, status: int) -> None:
    found, headers, _ = heard(server.server_port, request(target, server.server_port, method))
    assert found == status
    said = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert said == POLICY
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == headers["cross-origin-opener-policy"] == "same-origin"
    assert "set-cookie" not in headers
