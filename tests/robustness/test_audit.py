"""The audit of dependencies passes only where something was audited; `audit.py` is what the slow run prints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from robustness.audit import KNOWN, SKIPPED, audited, read


def reply(clean: Sequence[str] = (), skipped: Sequence[str] = (), vulnerable: Sequence[str] = ()) -> str:
    """pip-audit's JSON, as it was seen to be."""
    found: list[dict[str, Any]] = [{"name": name, "version": "1", "vulns": []} for name in clean]
    found += [{"name": name, "skip_reason": f"{name} not found"} for name in skipped]
    found += [{"name": name, "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": []}]} for name in vulnerable]
    return json.dumps({"dependencies": found, "fixes": []})


def runner(known: str, found: str, strict: int = 0) -> Any:
    """Stands in for the commands."""

    def run(command: Sequence[str]) -> tuple[int, str, str]:
        if "pip-audit" not in command:
            return 0, "", ""
        if command[-1].endswith("known.txt"):
            return 1, known, ""
        return strict, "" if "--strict" in command and strict else found, "as it said"

    return run


JINJA = reply(vulnerable=["jinja2"])


@pytest.mark.parametrize(
    ("known", "found", "strict", "kind", "said"),
    [
        (JINJA, reply(clean="abc"), 0, "clean", "3 dependencies audited"),
        (JINJA, reply(clean="ab", vulnerable="c"), 1, "failed", "1 of 3 dependencies: c: CVE-1"),
        (JINJA, reply(clean="ab", skipped="c"), 1, "failed", "1 dependencies could not be audited: c"),
        (JINJA, reply(), 0, "failed", "0 dependencies could not"),
        (JINJA, reply(skipped="abc"), 1, "failed", "3 dependencies could not"),
        (JINJA, "", 1, "failed", "nothing that can be read: as it said"),
        (reply(skipped=["jinja2"]), reply(clean="abc"), 0, "skipped", SKIPPED),  # a closed network: it exits with 0
        (reply(clean=["jinja2"]), reply(clean="abc"), 0, "skipped", SKIPPED),  # a mirror that knows no vulnerabilities
        ("", reply(clean="abc"), 0, "skipped", SKIPPED),  # no pip-audit to be had
    ],
)
def test_the_verdict(known: str, found: str, strict: int, kind: str, said: str) -> None:
    verdict = audited(runner(known, found, strict))
    assert verdict.kind == kind and said in verdict.sentence


def test_what_is_asked_first_is_known_to_be_vulnerable() -> None:
    assert KNOWN == "jinja2==2.10"
    audit = read(JINJA)
    assert audit is not None and audit.vulnerable == {"jinja2": ["CVE-1"]}


@pytest.mark.slow
def test_the_locked_dependencies(counts: Any) -> None:
    verdict = audited()
    counts.add(f"pip-audit --strict: {verdict.sentence}")
    assert verdict.kind != "failed", verdict.sentence
    if verdict.kind == "skipped":
        pytest.skip(f"pip-audit --strict: {verdict.sentence}")
