"""The command line: exit codes, one clear message, nothing written on bad input, one JSON value on stdout."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
from click.testing import CliRunner, Result
from interrupts import interruptible

import forecast.fitting
import forecast.shipped
from forecast import mainjob, schema
from forecast.cli import main
from forecast.errors import InputError
from forecast.jobs import as_before
from forecast.observations import SHIPPED
from forecast.places import priors_folder
from forecast.runs import load_run, provenance, read_provenance, with_provenance

PRIOR_ONLY = ("run", "--prior-only", "--draws", "50")
PASSED = {"divergences": 0, "max_rhat": 1.002, "min_ess_bulk": 900.0, "min_ess_tail": 800.0}
WORST = {"rhat": "returns", "bulk": "returns", "tail": "taste_slope"}
FILES = ["report.html", "run.nc", "summary.csv"]


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def refused(result: Result, code: int, *said: str) -> None:
    """The exit code, every line on stderr an ``error:``, no traceback, and what the message must name."""
    assert result.exit_code == code, result.output
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    lines = result.stderr.strip().splitlines()
    assert lines
    assert all(line.startswith("error: ") for line in lines), result.stderr
    assert "Traceback" not in result.stderr
    for words in said:
        assert words in result.stderr


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def prior_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prior-run") / "out"
    result = call(*PRIOR_ONLY, "-o", str(folder))
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Path]:
    """A folder with results of the user's, which must be the same bytes afterwards."""
    folder = tmp_path / "old"
    folder.mkdir()
    for name in FILES:
        (folder / name).write_bytes(b"old " + name.encode())
    before = contents(folder)
    yield folder
    assert contents(folder) == before


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[int]]:
    """Let `fit` return draws of the prior as if sampled, with a gate of one's choice; the list counts the fits."""

    def install(**gate: Any) -> list[int]:
        calls: list[int] = []

        def fit(priors: Any, observations: Any, *, progressbar: bool = False, **settings: int) -> xr.DataTree:
            calls.append(settings["random_seed"])
            drawn = {name: settings[name] for name in ("draws", "chains", "random_seed")}
            run = forecast.fitting.sample_prior(priors, observations, **drawn)
            verdict = {"passed": True, "failures": [], "worst": WORST} | PASSED | gate
            return with_provenance(run, provenance(priors, observations, settings, "posterior") | {"gate": verdict})

        monkeypatch.setattr(forecast.fitting, "fit", fit)
        monkeypatch.setattr(forecast.shipped, "shipped_run", lambda *_: None)
        return calls

    return install


# the main job


def test_it_leaves_three_files_and_a_headline(prior_run: Path) -> None:
    assert sorted(path.name for path in prior_run.iterdir()) == FILES
    page = (prior_run / "report.html").read_text(encoding="utf-8")
    assert "prior only" in page
    assert "forecast run --seed 1 --draws 50 --as-of 2026-11-01" in page


def test_the_same_seed_gives_the_same_summary(prior_run: Path, tmp_path: Path) -> None:
    result = call(*PRIOR_ONLY, "-o", str(tmp_path / "again"), "--quiet")
    assert result.stderr == ""
    assert (tmp_path / "again" / "summary.csv").read_bytes() == (prior_run / "summary.csv").read_bytes()


def test_every_row_of_the_summary_has_a_key_of_its_own(prior_run: Path) -> None:
    with (prior_run / "summary.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    keys = [(row["scenario"], row["form"], row["variable"], row["year"]) for row in rows]
    assert len(keys) == len(set(keys))
    assert all(row["form"].endswith(" (prior only)") for row in rows)
    forms = {row["form"].removesuffix(" (prior only)") for row in rows}
    assert {"trend", "section5", "organisations", "speedup", "leap", "watch", "kwa2026", "view davidson2023"} <= forms
    assert all(row["units"] and row["definition"] for row in rows)
    assert all(bool(row["q50"] or row["q95"]) != bool(row["probability"]) for row in rows)
    for form in ("trend", "section5"):
        found = {row["variable"] for row in rows if row["form"].startswith(form)}
        assert set(schema.YEARLY) <= found
    assert set(schema.READOUTS) | set(schema.EVENTS) <= {row["variable"] for row in rows}
    assert {"sigma", "coherence: fleet > world", "log10_parallel_streams > 8"} <= {row["variable"] for row in rows}


def test_the_run_file_holds_what_was_forecast_and_explains_itself(prior_run: Path) -> None:
    run = load_run(prior_run / "run.nc")
    assert set(run.children) <= set(schema.GROUPS)
    baseline = run["forecast/baseline"].to_dataset()
    assert set(baseline.data_vars) == set(schema.YEARLY) | set(schema.READOUTS) | set(schema.EVENTS)
    assert baseline["log10_software"].dtype == "float32"
    assert baseline["log10_software"].attrs["units"] == schema.YEARLY["log10_software"].units
    assert set(run["forecast/baseline/trend"].to_dataset().data_vars) == set(schema.YEARLY)
    record = read_provenance(run)
    assert record["scenarios"] == ["baseline", "software_only"]
    returns = next(entry for entry in record["parameters"] if entry["name"] == "returns")
    assert returns["prior"] == pytest.approx([0.4, 1.0, 2.5])
    assert "Ho & Whitfill 2025" in returns["source"][0]
    assert (
        len(record["observations"]["hardware"]["rows"]) == len((SHIPPED / "hardware.csv").read_text().splitlines()) - 1
    )


def test_json_is_one_value_and_nothing_else(tmp_path: Path) -> None:
    result = call(
        *PRIOR_ONLY, "-o", str(tmp_path / "out"), "--json", "--scenario", "software_only", "--years", "2030:2032"
    )
    assert result.exit_code == 0

    def constant(name: str) -> float:
        raise AssertionError(f"{name} is not JSON")

    value = json.loads(result.stdout, parse_constant=constant)
    assert list(value["headlines"]) == ["software_only"]
    assert value["years"] == [2030, 2032]
    assert value["marks"][0] == "prior only"
    assert Path(value["files"]["run.nc"]).is_file()
    assert "projecting software_only" in result.stderr


def test_a_posterior_is_reused_until_something_it_depends_on_changes(
    tmp_path: Path, fits: Callable[..., list[int]]
) -> None:
    calls = fits()
    again = ("run", "--draws", "50", "-o", str(tmp_path), "--years", "2027:2029")
    first = call(*again)
    assert first.exit_code == 0
    assert "fitted, took" in first.stderr
    assert "Convergence: passed" in first.stdout
    summary, run = (tmp_path / "summary.csv").read_bytes(), (tmp_path / "run.nc").read_bytes()
    second = call(*again)
    assert "reused what" in second.stderr
    assert second.stdout == first.stdout
    assert calls == [1]
    assert (tmp_path / "summary.csv").read_bytes() == summary
    assert (tmp_path / "run.nc").read_bytes() == run
    wider = call(*again[:-1], "2027:2030", "--json")
    assert json.loads(wider.stdout)["reused"] is True
    assert load_run(tmp_path / "run.nc")["forecast/baseline"].sizes["year"] == 4
    assert "fitting anew" in call(*again, "--seed", "2").stderr
    assert "fitted" in call(*again, "--seed", "2", "--refit").stderr
    assert calls == [1, 2, 2]


def test_files_that_were_changed_are_written_again(
    tmp_path: Path, fits: Callable[..., list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is taken as it is that a rerun would write otherwise: an edited report, another library, a mended file."""
    fits()
    again = ("run", "--draws", "50", "-o", str(tmp_path), "--years", "2027:2028", "--scenario", "baseline")
    assert call(*again).exit_code == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / "report.html").write_text("mine")
    assert "projecting baseline" in call(*again).stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    job = mainjob.prepared(tmp_path, draws=50, years=[2027, 2028], scenarios=["baseline"])
    assert as_before(job) is not None
    assert as_before(mainjob.prepared(tmp_path, draws=50, years=[2027, 2028])) is None
    (tmp_path / "summary.csv").unlink()
    assert as_before(job) is None
    (tmp_path / "summary.csv").write_bytes(before["summary.csv"])
    monkeypatch.setattr("forecast.jobs.version_of", lambda name: "another")
    assert as_before(job) is None


def test_a_run_after_a_fit_adds_the_forecasts(tmp_path: Path, fits: Callable[..., list[int]]) -> None:
    calls = fits()
    flags = ("--draws", "50", "-o", str(tmp_path), "--quiet")
    fitted = call("fit", *flags, "--json")
    assert json.loads(fitted.stdout)["gate"]["passed"] is True
    assert [path.name for path in tmp_path.iterdir()] == ["run.nc"]
    assert "forecast" not in load_run(tmp_path / "run.nc").children
    assert call("run", *flags).exit_code == 0
    assert set(load_run(tmp_path / "run.nc")["forecast"].children) == {"baseline", "software_only"}
    assert calls == [1]


def test_a_failed_gate_is_written_marked_and_returned(tmp_path: Path, fits: Callable[..., list[int]]) -> None:
    fits(passed=False, max_rhat=1.3, failures=["R-hat 1.300 of returns (at most 1.01)"])
    result = call("run", "--draws", "50", "-o", str(tmp_path), "--years", "2027:2028")
    assert result.exit_code == 3
    assert "CONVERGENCE GATE FAILED" in result.stdout
    assert "largest R-hat (returns) 1.3000" in result.stdout
    assert "section5 (convergence gate failed)" in (tmp_path / "summary.csv").read_text()
    assert "(convergence gate failed" in (tmp_path / "report.html").read_text()
    assert "(convergence gate failed)" in call("takeoff", str(tmp_path / "run.nc"), "--years", "2027:2028").stdout
    assert call("fit", "--draws", "50", "-o", str(tmp_path)).exit_code == 3


# commands that read a run file


def test_project_prints_json_csv_and_a_table(prior_run: Path) -> None:
    file = str(prior_run / "run.nc")
    table = call("project", file, "--years", "2030:2031")
    assert table.exit_code == 0
    assert table.stdout.splitlines()[0].split() == [
        "scenario",
        "form",
        "variable",
        "year",
        "units",
        "q05",
        "q50",
        "q95",
    ]
    rows = json.loads(call("project", file, "--years", "2030:2031", "--json").stdout)
    assert {row["year"] for row in rows} == {2030, 2031}
    lines = call("project", file, "--years", "2030", "--csv").stdout.splitlines()
    assert len(lines) == 1 + len(schema.YEARLY)
    refused(call("project", file, "--json", "--csv"), 2, "exclude each other")


def test_takeoff_keeps_censored_quantiles_in_json(prior_run: Path) -> None:
    rows = json.loads(call("takeoff", str(prior_run / "run.nc"), "--json").stdout)
    end = next(row for row in rows if row["variable"] == "year_100" and row["scenario"] == "baseline")
    assert end["q95"] == "inf"
    assert end["probability"] is None


def test_report_gives_the_same_files_from_the_run_file(prior_run: Path, tmp_path: Path) -> None:
    result = call("report", str(prior_run / "run.nc"), "-o", str(tmp_path / "page"))
    assert result.exit_code == 0
    for name in ("summary.csv", "report.html"):
        assert (tmp_path / "page" / name).read_bytes() == (prior_run / name).read_bytes()


def test_draws_of_the_prior_have_no_gate_to_check(prior_run: Path) -> None:
    refused(call("check", str(prior_run / "run.nc")), 2, "there is no sampler to check")


# bad input


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--scenario", "base"), ["no scenario named 'base'", "baseline"]),
        (("--years", "2045:2026"), ["--years", "runs backwards", "2026:2045"]),
        (("--years", "soon"), ["--years", "'soon'", "2026:2045"]),
        (("--years", "2020:2030"), ["years 2020..2030", "2026 (as_of)"]),
        (("--as-of", "2016-01-01"), ["as_of: nothing was known on 2016-01-01", "2017-07-01"]),
        (("--as-of", "2020-01-01"), ["no row up to 2020-01-01", "--as-of"]),
        (("--as-of", "20255-01-01"), ["as_of", "'20255-01-01'", "YYYY-MM-DD"]),
        (("--as-of", "2099-01-01"), ["as_of lies in 2099", "--years"]),
        (("--seed", "-1"), ["--seed", "-1"]),
        (("--draws", "0"), ["--draws", "0"]),
        (("--draws", "many"), ["--draws", "many"]),
        (("--view", "nobody"), ["no scenario or view named 'nobody'"]),
        (("--color",), ["--color"]),
    ],
)
def test_a_bad_flag_is_named_and_nothing_is_written(old: Path, flags: tuple[str, ...], said: list[str]) -> None:
    refused(call("run", "-o", str(old), *flags), 2, *said)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere")
    result = call("run", "-o", str(tmp_path / "new"), "--scenario", "x", "--priors", nowhere, "--tables", nowhere)
    refused(result, 2, "no scenario named 'x'", "no such folder of prior files", "no such folder of tables")
    assert not (tmp_path / "new").exists()


def test_missing_tables_are_missing_data(old: Path, tmp_path: Path) -> None:
    refused(call("run", "-o", str(old), "--tables", str(tmp_path / "none")), 4, "no such folder of tables")


DEPTH = '[priors.depth_exponent]\ndistribution = "TruncatedNormal"'
PRIOR_FAULTS = {
    "syntax error": (DEPTH, f"{DEPTH}\nmu ="),
    "unknown key": ('units = "layers"', 'units = "layers"\nunit = "layers"'),
    "unknown distribution": ('"TruncatedNormal"', '"TruncatedNormale"'),
    "reversed interval": ("params = { sigma = 0.3 }", "interval = [0.6, 0.25]"),
    "outside the support": ("params = { mu = 4.382026634673881, sigma = 0.5 }", "interval = [-2.0, 100.0]"),
    "missing source": ('source = ["hoffmann2022"]\n', ""),
    "duplicate name": ("[priors.reference_layers]", "[priors.depth_exponent]"),
    "wrong units": ('units = "layers"', 'units = "km"'),
}


@pytest.mark.parametrize("fault", PRIOR_FAULTS)
def test_a_fault_in_a_prior_file_is_named_by_file_and_line(old: Path, tmp_path: Path, fault: str) -> None:
    folder = tmp_path / "priors"
    shutil.copytree(priors_folder() / "baseline", folder)
    file = folder / "depth_scaling.toml"
    before, after = PRIOR_FAULTS[fault]
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), encoding="utf-8")
    refused(call("run", "-o", str(old), "--priors", str(folder)), 2, "depth_scaling.toml:")
    checked = call("priors", "check", str(folder))
    assert checked.exit_code == 2
    assert "depth_scaling.toml:" in checked.stdout


FIRST = "BERT-Large,Google,2018-10-11,0.2801"
TABLE_FAULTS: dict[str, Callable[[str], str]] = {
    "missing column": lambda text: text.replace("organisation,", "", 1),
    "text in a number": lambda text: text.replace("0.2801", "high"),
    "NaN": lambda text: text.replace("0.2801", "nan"),
    "percent": lambda text: text.replace("0.2801", "46.2"),
    "the year 20255": lambda text: text.replace("2018-10-11", "20255-10-11"),
    "duplicate rows": lambda text: text + next(line for line in text.splitlines() if line.startswith(FIRST)) + "\n",
    "an empty file": lambda _: "",
}


@pytest.mark.parametrize("fault", TABLE_FAULTS)
def test_a_fault_in_a_table_is_named_by_file(old: Path, tmp_path: Path, fault: str) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    name = "training_utilization.csv"
    text = (SHIPPED / name).read_text(encoding="utf-8")
    assert TABLE_FAULTS[fault](text) != text
    (folder / name).write_text(TABLE_FAULTS[fault](text), encoding="utf-8")
    refused(call("run", "-o", str(old), "--tables", str(folder)), 2, name)
    checked = call("data", "check", str(folder))
    assert checked.exit_code == 2
    assert name in checked.output


def test_a_negative_flop_is_refused(old: Path, tmp_path: Path) -> None:
    text = (SHIPPED / "hardware.csv").read_text(encoding="utf-8").replace("1.25e14", "-1.25e14", 1)
    (tmp_path / "hardware.csv").write_text(text, encoding="utf-8")
    folder = tmp_path / "tables"
    folder.mkdir()
    shutil.move(tmp_path / "hardware.csv", folder)
    refused(call("run", "-o", str(old), "--tables", str(folder)), 2, "hardware.csv:2", "flop_per_second")


def test_a_folder_that_cannot_be_written_is_refused_before_sampling(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        refused(call("run", "-o", str(folder)), 2, "cannot be written", "choose another folder")
    (tmp_path / "out" / "run.nc").mkdir(parents=True)
    refused(call("run", "-o", str(tmp_path / "out")), 2, "run.nc", "is a folder")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("command", ["project", "takeoff", "report", "check"])
def test_a_file_that_is_no_run_is_refused(prior_run: Path, tmp_path: Path, command: str) -> None:
    words = tmp_path / "words.nc"
    words.write_text("hello")
    refused(call(command, str(words)), 2, "words.nc: not a readable run file")
    half = tmp_path / "half.nc"
    whole = (prior_run / "run.nc").read_bytes()
    half.write_bytes(whole[: len(whole) // 2])
    refused(call(command, str(half)), 2, "half.nc: not a readable run file")
    refused(call(command, str(tmp_path / "none.nc")), 4, "none.nc: no such run file")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["half.nc", "words.nc"]


def test_a_run_file_of_another_version_is_refused(prior_run: Path, tmp_path: Path) -> None:
    run = load_run(prior_run / "run.nc")
    later = with_provenance(run.copy(), read_provenance(run) | {"schema": 99})
    later.to_netcdf(tmp_path / "later.nc", engine="h5netcdf")
    refused(call("takeoff", str(tmp_path / "later.nc")), 2, "schema version 99", "remake it")


def test_an_unknown_name_to_show_is_met_with_a_suggestion() -> None:
    refused(call("priors", "show", "taste_slop"), 2, "did you mean 'taste_slope'?")
    refused(call("data", "show", "hardwear"), 2, "hardware")
    refused(call("date"), 2, "No such command 'date'")


# interrupted


class Interrupted:
    """A sampler whose user loses patience."""

    cancelled = 0

    def wait(self) -> None:
        raise KeyboardInterrupt

    def cancel(self) -> None:
        Interrupted.cancelled += 1


def test_ctrl_c_while_sampling_stops_the_sampler_and_writes_nothing(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nutpie

    monkeypatch.setattr("forecast.model.build_model", lambda *_: None)
    monkeypatch.setattr(nutpie, "compile_pymc_model", lambda *_, **__: None)
    monkeypatch.setattr(nutpie, "sample", lambda *_, **__: Interrupted())
    result = call("run", "--refit", "-o", str(old), "--quiet")
    assert result.exit_code == 130
    assert result.stderr.strip() == "error: interrupted; nothing was written"
    assert Interrupted.cancelled == 1


SLOW = """
import sys, time
import forecast.fitting
def fit(*_, **__):
    print("sampling", file=sys.stderr, flush=True)
    time.sleep(60)
forecast.fitting.fit = fit
from forecast.cli import main
main(["run", "--refit", "-o", sys.argv[1]])
"""


def test_a_real_signal_gives_130_and_no_traceback(old: Path) -> None:
    with interruptible(str(old), program=SLOW, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line == "sampling\n":
                break
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(timeout=60) == 130
    assert rest.split("\n")[-2] == "error: interrupted; nothing was written"
    assert "Traceback" not in rest


def test_a_write_that_fails_leaves_the_old_files(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise InputError("run.nc: cannot be written (No space left on device): choose another folder with -o")

    monkeypatch.setattr("forecast.mainjob.save_run", full)
    result = call(*PRIOR_ONLY, "-o", str(old), "--years", "2027:2028", "--quiet")
    assert result.exit_code == 2
    assert "At full automation" in result.stdout, "the answer was there before the disk was full"
    assert "Files:" not in result.stdout
    assert result.stderr.startswith("error: run.nc: cannot be written (No space left on device)")
    assert "Traceback" not in result.stderr


# showing and checking what goes in


def test_the_shipped_files_have_no_faults() -> None:
    priors, data = call("priors", "check"), call("data", "check")
    assert priors.exit_code == data.exit_code == 0
    assert priors.stdout.endswith(" priors, no faults\n")
    assert data.stdout == "16 tables, no faults\n"


def test_priors_are_shown_with_statement_quantiles_and_source() -> None:
    rows = {row["name"]: row for row in json.loads(call("priors", "show", "--json").stdout)}
    assert rows["returns"]["q95"] == pytest.approx(2.5)
    assert rows["returns"]["statement"] == "LogNormal, 90% interval 0.4 to 2.5"
    one = call("priors", "show", "returns").stdout
    assert "Ho & Whitfill 2025" in one
    assert "priors/baseline/research.toml:" in one
    assert call("priors", "show", "algorithmic_progress").stdout.count("source:") >= 2
    lines = call("priors", "show", "--csv").stdout.splitlines()
    assert len(lines) == 1 + len(rows)


def test_tables_are_shown_as_they_were_known() -> None:
    tables = {row["table"]: row["rows"] for row in json.loads(call("data", "show", "--json").stdout)}
    assert tables["hardware"] == len((SHIPPED / "hardware.csv").read_text(encoding="utf-8").splitlines()) - 1
    rows = json.loads(call("data", "show", "fleet_compute", "--json", "--as-of", "2025-06-30").stdout)
    assert {row["date"] for row in rows} == {"2023-12-31", "2024-12-31"}
    assert "NVIDIA Tesla V100" in call("data", "show", "hardware").stdout


# the installed command


def test_the_command_speaks_on_the_right_streams(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "forecast", *PRIOR_ONLY, "--json", "-o", "out", "--years", "2027:2028"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, env=dict(os.environ))
    assert json.loads(done.stdout)["as_of"] == "2026-11-01"
    assert "error" not in done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES
