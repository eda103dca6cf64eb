"""Which requests get no answer, each refused in one sentence: of other hosts and sites, of other kinds, too long."""

from __future__ import annotations

import json
from collections.abc import Mapping
from email.message import Message
from http import HTTPStatus
from typing import NamedTuple

from forecast.explorer.states import LONGEST

HOST = "127.0.0.1"
HTTP_PORT = 80  # the one that a browser leaves out
LONGEST_TARGET = LONGEST + 100  # characters of path and query
METHODS = ("GET", "HEAD")
ONCE = ("host", "origin", "sec-fetch-site", "content-length", "transfer-encoding")  # headers that are judged by
JSON = "application/json; charset=utf-8"


class Response(NamedTuple):
    """Status, type and body of an answer, and further headers."""

    status: HTTPStatus
    kind: str
    body: bytes
    further: Mapping[str, str] = {}


def refused_by(method: str, target: str, headers: Mapping[str, str], port: int) -> Response | None:
    """Why a request is not answered, if so: foreign, of another kind, or too long; `headers` by lower-case names."""
    names = (HOST, "localhost", "[::1]")
    hosts = {f"{name}:{port}" for name in names} | ({*names} if port == HTTP_PORT else set())
    if headers.get("host", "").lower() not in hosts:
        return refusal(HTTPStatus.FORBIDDEN, f"this page answers as {HOST}:{port} only: open that address")
    origin = headers.get("origin")
    if origin is not None and origin.lower() not in {f"http://{host}" for host in hosts}:
        return refusal(HTTPStatus.FORBIDDEN, "other sites get no answer here: open the page itself")
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and target.partition("?")[0] != "/":
        return refusal(HTTPStatus.FORBIDDEN, "other sites get no answer here: open the page itself")
    if method not in METHODS:
        return only_read()
    if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
        return refusal(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "a request has no body here: put the state into the address"
        )
    if len(target) > LONGEST_TARGET:
        return refusal(
            HTTPStatus.REQUEST_URI_TOO_LONG, f"the address has {len(target)} characters: give at most {LONGEST_TARGET}"
        )
    return None


def only_read() -> Response:
    """What any other method gets."""
    return refusal(HTTPStatus.METHOD_NOT_ALLOWED, "this page is only read: use GET", {"Allow": ", ".join(METHODS)})


def well_formed(headers: Message) -> bool:
    """Whether every line was understood, and none that a request is judged by comes twice."""
    names = [name.lower() for name in headers]
    return not headers.defects and all(names.count(name) <= 1 for name in ONCE)


def refusal(status: HTTPStatus, sentence: str, further: Mapping[str, str] = {}) -> Response:
    """A fault as JSON, in one sentence."""
    return Response(status, JSON, json.dumps({"error": sentence}).encode(), further)
