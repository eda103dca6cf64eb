"""The reference: every public name explains itself, and pdoc makes pages of it without a complaint."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import forecast as fc

ROOT = Path(__file__).parents[1]
FUNCTIONS = [name for name in fc.__all__ if inspect.isfunction(getattr(fc, name))]
DIGESTED = {
    "build_model"
}  # its file is part of the model's digest: an example there would make kept calibrations stale
SECTION = re.compile(r"^(\w+)\n-{3,}$", re.MULTILINE)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_public_function_says_what_it_takes_and_returns_with_an_example(name: str) -> None:
    function = getattr(fc, name)
    said = inspect.getdoc(function) or ""
    sections = SECTION.findall(said)
    taken = list(inspect.signature(function).parameters)
    if taken:
        parameters = said.split("Parameters\n")[1].split("\n\n")[0] if "Parameters" in sections else ""
        unnamed = [one for one in taken if not re.search(rf"\b{one}\b", parameters)]
        assert not unnamed
    assert "Returns" in sections
    assert ">>>" in said or name in DIGESTED
    assert sections == sorted(sections, key=["Parameters", "Returns", "Raises", "Notes", "Examples"].index)


@pytest.mark.parametrize("name", [name for name in fc.__all__ if inspect.isclass(getattr(fc, name))])
def test_a_public_class_says_what_it_is(name: str) -> None:
    assert (inspect.getdoc(getattr(fc, name)) or "").strip()


def test_every_equation_has_an_example_too() -> None:
    lacking = [
        name
        for name, value in vars(fc.equations).items()
        if inspect.isfunction(value) and not name.startswith("_") and ">>>" not in (value.__doc__ or "")
    ]
    assert lacking == []


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``uv run pdoc --docformat numpy forecast -o api`` writes."""
    folder = tmp_path_factory.mktemp("api")
    command = [sys.executable, "-W", "error", "-m", "pdoc", "--docformat", "numpy", "forecast", "-o", str(folder)]
    told = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=os.environ | {"MPLBACKEND": "agg"})
    assert (told.returncode, told.stderr.strip()) == (0, "")
    return folder


def test_pdoc_shows_every_public_name(pages: Path) -> None:
    page = (pages / "forecast.html").read_text(encoding="utf-8")
    missing = [name for name in fc.__all__ if f'id="{name}"' not in page and name not in ("equations", "__version__")]
    assert missing == []
    assert "How many AIs can run, by year" in page  # of a function that is imported only when it is used


def test_no_section_of_a_docstring_is_left_as_plain_text(pages: Path) -> None:
    """A heading that pdoc does not know stays a paragraph over a rule, and reST stays as it was typed."""
    for file in pages.rglob("*.html"):
        page = file.read_text(encoding="utf-8")
        assert not re.search(r"<h[1-6][^>]*>\s*(Parameters|Returns|Raises|Examples)\s*</h[1-6]>\s*<hr", page)
        assert "----------" not in re.sub(r"<pre>.*?</pre>|<code>.*?</code>", "", page, flags=re.DOTALL)
