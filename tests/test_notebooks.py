"""Every notebook runs from top to bottom on a run file, and shows what it says it shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
import xarray as xr
from nbclient import NotebookClient

from forecast.runs import save_run

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
NAMES = ["01_priors", "02_posterior", "03_forecast", "04_sensitivity", "05_backtest", "06_questions"]
EVERY = 10  # of the draws, every tenth: enough for each analysis, in a tenth of the time
DRAWN = re.compile(r"\.figure\b|plt\.subplots")


@pytest.fixture(scope="module")
def folder(run: xr.DataTree, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository as a reader has it after `forecast run`: notebooks/ beside forecast-out/run.nc."""
    root = tmp_path_factory.mktemp("repository")
    (root / "notebooks").mkdir()
    save_run(fewer_draws(run), root / "forecast-out" / "run.nc")
    return root / "notebooks"


@pytest.fixture(scope="module")
def executed(folder: Path) -> dict[Path, list[Any]]:
    """The cells of every notebook with their outputs.

    One kernel runs them all, emptied before each: importing everything takes longer than most of them.
    """
    cells = {path: nbformat.read(path, as_version=4).cells for path in NOTEBOOKS}
    whole = nbformat.v4.new_notebook()
    for path in NOTEBOOKS:
        whole.cells += [nbformat.v4.new_code_cell("%reset -f"), *cells[path]]
    for number, cell in enumerate(whole.cells):
        cell["id"] = f"cell-{number}"
    place = {"metadata": {"path": str(folder)}}
    NotebookClient(whole, timeout=300, kernel_name="python3", resources=place, allow_errors=True).execute()
    return cells


def fewer_draws(run: xr.DataTree) -> xr.DataTree:
    thin = run.map_over_datasets(lambda data: data.isel(draw=slice(None, None, EVERY)) if "draw" in data.dims else data)
    thin.attrs = dict(run.attrs)
    return thin


def code_of(path: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def test_the_notebooks_are_the_six_that_the_readme_counts_on() -> None:
    assert [path.stem for path in NOTEBOOKS] == NAMES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_starts_from_the_api_in_three_lines_and_keeps_no_output(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    lines = [line for line in code_of(path)[0].splitlines() if line and not line.startswith("%")]
    assert lines[0] == "import forecast as fc"
    assert any("fc.load_run(" in line or "fc.kept_backtests(" in line for line in lines[:3])
    assert not any("def " in source for source in code_of(path))
    assert all(not cell.outputs and cell.execution_count is None for cell in cells if cell.cell_type == "code")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # of the Jupyter client itself
def test_notebook_runs_and_shows_its_figures(path: Path, executed: dict[Path, list[Any]]) -> None:
    for cell in (cell for cell in executed[path] if cell.cell_type == "code"):
        faults = ["\n".join(output.traceback) for output in cell.outputs if output.output_type == "error"]
        assert not faults, "\n".join([cell.source, *faults])
        if DRAWN.search(cell.source):
            assert any("image/png" in output.get("data", {}) for output in cell.outputs), cell.source
        spoken = "".join(output.get("text", "") for output in cell.outputs if output.get("name") == "stderr")
        assert "Warning" not in spoken, spoken
