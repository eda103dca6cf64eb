"""pip-audit --strict over the locked dependencies, which says so where it could audit nothing.

    uv run python tests/robustness/audit.py

pip-audit succeeds where its index knows no vulnerabilities at all (a mirror, a closed network): every dependency is then
skipped, or found clean. So an old release with published vulnerabilities is asked about first; where they are not found,
nothing was audited: "skipped: no index". Exit codes: 0 clean or skipped, 1 vulnerabilities or some dependencies not audited.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))  # where it is run as a script

from tools import uv  # noqa: E402

KNOWN = "jinja2==2.10"  # CVE-2019-10906 and others; nobody installs it
SKIPPED = "skipped: no index"
SECONDS = 600


class Audit(NamedTuple):
    """What pip-audit said of every dependency: how many it audited, which not and why, and what it found."""

    audited: int
    skipped: dict[str, str]
    vulnerable: dict[str, list[str]]


class Verdict(NamedTuple):
    """One sentence, and whether it is "clean", "skipped" or "failed"."""

    kind: str
    sentence: str


def command_output(command: Sequence[str]) -> tuple[int, str, str]:
    """Exit code, output and errors of a command."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return 124, "", f"no answer in {SECONDS} s"
    return done.returncode, done.stdout, done.stderr


Runner = Callable[[Sequence[str]], tuple[int, str, str]]


def pip_audit(requirements: Path, *options: str) -> list[str]:
    """The command; `uv tool run` installs pip-audit apart from what is audited."""
    about = ["--disable-pip", "--no-deps", "--progress-spinner", "off", "--format", "json"]
    return [uv() or "uv", "tool", "run", "pip-audit", *about, *options, "--requirement", str(requirements)]


def read(output: str) -> Audit | None:
    """What pip-audit's JSON says; None where there is none."""
    try:
        found: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    asked = [one for one in found if "skip_reason" not in one]
    return Audit(
        len(asked),
        {one["name"]: one["skip_reason"] for one in found if "skip_reason" in one},
        {one["name"]: [each["id"] for each in one["vulns"]] for one in asked if one["vulns"]},
    )


def judged(known: Audit | None, strict: int, found: Audit | None, errors: str = "") -> Verdict:
    """The verdict: `known` of the old release, `found` of the dependencies, `strict` the exit code of --strict."""
    if known is None or not known.vulnerable:
        return Verdict("skipped", f"{SKIPPED} (nothing is known of {KNOWN} here, which has published vulnerabilities)")
    if found is None:
        return Verdict("failed", f"pip-audit said nothing that can be read: {errors.strip()[-300:]}")
    if found.vulnerable:
        said = "; ".join(f"{name}: {', '.join(ids)}" for name, ids in found.vulnerable.items())
        return Verdict("failed", f"vulnerabilities in {len(found.vulnerable)} of {found.audited} dependencies: {said}")
    if found.skipped or strict or not found.audited:
        return Verdict("failed", f"{len(found.skipped)} dependencies could not be audited: {', '.join(found.skipped)}")
    return Verdict("clean", f"{found.audited} dependencies audited, no known vulnerability")


def audited(run: Runner = command_output) -> Verdict:
    """Ask about the old release, then about every locked dependency of every extra."""
    with tempfile.TemporaryDirectory() as folder:
        old, locked = Path(folder) / "known.txt", Path(folder) / "locked.txt"
        old.write_text(KNOWN + "\n", encoding="utf-8")
        known = read(run(pip_audit(old))[1])
        if known is None or not known.vulnerable:
            return judged(known, 0, None)
        export = ["export", "--quiet", "--all-extras", "--no-hashes", "--no-emit-project", "--output-file", str(locked)]
        code, _, errors = run([uv() or "uv", *export])
        if code:
            return Verdict("failed", f"the locked dependencies cannot be listed: {errors.strip()[-300:]}")
        strict = run(pip_audit(locked, "--strict"))[0]
        _, said, errors = run(pip_audit(locked))  # again, for --strict stops at the first that it cannot audit
        return judged(known, strict, read(said), errors)


def main() -> int:
    """Print the verdict."""
    verdict = audited()
    print(f"pip-audit --strict: {verdict.sentence}")
    return int(verdict.kind == "failed")


if __name__ == "__main__":
    sys.exit(main())
