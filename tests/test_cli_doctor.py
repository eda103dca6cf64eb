"""``forecast doctor``: what an installation is made of, what is wrong with it, and what to do."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from forecast import installation as looked
from forecast.cli import main

Facts = dict[str, Any]
HEAVY = {"pymc", "arviz", "pytensor", "nutpie", "scipy", "xarray", "pandas", "matplotlib", "numba"}


@pytest.fixture(scope="module")
def facts() -> Facts:
    return looked.installation()


@pytest.fixture
def sound(facts: Facts) -> Facts:
    """The installation here with everything that a machine may lack put right."""
    whole = copy.deepcopy(facts)
    whole["bytecode"] = {"may_be_written": True, "compiled": dict.fromkeys(looked.HEAVY, 1.0)}
    whole["caches"] = {"writable": True, "kept": True}
    whole["folders"] = {"here": True, "temporary": True}
    whole["threads"]["environment"] = {}
    return whole


def test_it_says_what_python_says(facts: Facts) -> None:
    assert facts["python"] == platform.python_version()
    for name in ("pymc", "nutpie", "numba", "arviz", "numpy", "xarray"):
        assert facts["versions"][name] == metadata.version(name)
    assert facts["threads"]["cores"] == len(os.sched_getaffinity(0))
    assert set(facts["requirements"]) >= {"pymc", "nutpie", "click", "threadpoolctl"}
    assert not set(facts["requirements"]) & {"weasyprint", "salib", "preliz"}  # extras are no requirements


def test_a_sound_installation_has_nothing_wrong(sound: Facts) -> None:
    assert looked.findings(sound) == []


def broken(**parts: Any) -> Callable[[Facts], None]:
    def change(facts: Facts) -> None:
        for name, value in parts.items():
            facts[name] = facts[name] | value if isinstance(value, dict) else value

    return change


PYMC = {"pymc": {"needed": "<7,>=6.4", "installed": "7.0.1", "fits": False}}
NO_CLICK = {"click": {"needed": ">=8.1", "installed": None, "fits": False}}
GONE = {"priors": {"from": "missing", "files": 0, "digest": ""}}


@pytest.mark.parametrize(
    ("change", "severity", "said", "remedy"),
    [
        (broken(requirements=PYMC), "broken", "pymc 7.0.1 is outside <7,>=6.4", "pip install 'pymc<7,>=6.4'"),
        (broken(requirements=NO_CLICK), "broken", "click is missing", "uv sync"),
        (broken(forecast=None), "broken", "not installed", "pip install"),
        (broken(files=GONE), "broken", "shipped priors are missing", "install forecast again"),
        (broken(folders={"here": False, "temporary": True}), "look", "nothing can be written to this folder", "-o DIR"),
        (broken(folders={"here": True, "temporary": False}), "broken", "temporary", "TMPDIR"),
        (broken(caches={"writable": False, "kept": False}), "look", "compiles anew", "base_compiledir"),
        (
            broken(bytecode={"may_be_written": False, "compiled": {"arviz": 0.0, "pymc": 1.0}}),
            "look",
            "arviz have no bytecode",
            "PYTHONDONTWRITEBYTECODE",
        ),
        (
            broken(threads={"cores": 2, "environment": {"OMP_NUM_THREADS": "64"}}),
            "look",
            "OMP_NUM_THREADS=64 on 2 cores",
            "unset OMP_NUM_THREADS",
        ),
        (
            broken(imports={"pymc": {"seconds": 1.0, "fault": "ImportError: no"}}),
            "broken",
            "import pymc: ImportError: no",
            "reinstall",
        ),
    ],
)
def test_each_fault_is_named_with_its_remedy(
    sound: Facts, change: Callable[[Facts], None], severity: str, said: str, remedy: str
) -> None:
    sound.setdefault("imports", {})
    change(sound)
    (found,) = looked.findings(sound)
    assert found.severity == severity
    assert said in found.finding
    assert remedy in found.remedy


def test_missing_bytecode_that_can_be_written_is_no_fault(sound: Facts) -> None:
    sound["bytecode"] = {"may_be_written": True, "compiled": {"arviz": 0.0}}
    assert looked.findings(sound) == []


def test_a_broken_installation_is_exit_code_1(sound: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    sound["requirements"] |= PYMC
    monkeypatch.setattr(looked, "installation", lambda: sound)
    done = CliRunner().invoke(main, ["doctor"])
    assert done.exit_code == 1
    assert "BROKEN pymc 7.0.1 is outside" in done.stdout
    assert done.stdout.strip().endswith("1 broken, 0 to look at.")
    data = json.loads(CliRunner().invoke(main, ["doctor", "--json"]).stdout)
    assert data["sound"] is False
    assert data["findings"][0]["severity"] == "broken"


def test_the_digest_is_of_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"x,y\r\n1,2\r\n")
    expected = hashlib.sha256(b"a.csv\0x,y\n1,2\n\0").hexdigest()
    assert looked.digest([tmp_path / "a.csv"]) == expected
    (tmp_path / "a.csv").write_bytes(b"x,y\n1,3\n")
    assert looked.digest([tmp_path / "a.csv"]) != expected


def test_a_folder_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    assert looked.writable(tmp_path)
    assert looked.writable(tmp_path / "not" / "yet")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    assert not looked.writable(tmp_path / "file")


def test_it_imports_nothing_heavy() -> None:
    program = "from forecast.installation import *; findings(installation()); import sys; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not HEAVY & set(told.stdout.split())


def test_it_prints_where_things_come_from() -> None:
    done = CliRunner().invoke(main, ["doctor"])
    heads = [line.split()[0] for line in done.stdout.splitlines() if line and not line.startswith(" ")]
    assert heads[:9] == [
        "forecast",
        "libraries",
        "threads",
        "bytecode",
        "kernels",
        "priors",
        "tables",
        "extras",
        "browser",
    ]
    assert "files of the checkout, digest" in done.stdout or "files of the wheel, digest" in done.stdout
