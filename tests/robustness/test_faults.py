"""What may go wrong around a command: disks, folders, clocks, languages, names, pipes. One message, or plain success.

Where a fault needs a disk of its own and none can be mounted, the test says so and is skipped.
"""

from __future__ import annotations

import contextlib
import json
import locale
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
from click.testing import CliRunner
from matplotlib.figure import Figure
from robustness.hosts import Host, contents, hosted, litter, refused, succeeds

from forecast import installation, whole_files
from forecast.cli import main, progress
from forecast.comparison_plots import save_figure
from forecast.elicitation.elicited import elicited
from forecast.elicitation.saving import save_overlay
from forecast.errors import InputError
from forecast.priors import load_priors
from forecast.runs import save_run
from forecast.summaries import write_text
from forecast.sweeps.parts import write_part
from forecast.whole_files import ABANDONED, replace_file, replacing, tidied

FIT = ("fit", "--prior-only", "--draws", "20", "--quiet")
SPOKEN = ("calc", "tokens-per-second", "--params", "1e14", "--training-time", "1y")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with hosted(tmp_path_factory.mktemp("host")) as host:
        yield host


@pytest.fixture(scope="module")
def plain(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what `FIT` leaves where nothing goes wrong."""
    folder = tmp_path_factory.mktemp("plain")
    succeeds(host.run((*FIT, "-o", "out"), folder))
    return folder / "out"


def figure_in(path: Path) -> Path:
    ax = Figure().subplots()
    ax.plot([0, 1], [0, 1])
    return save_figure(ax, path)


def overlay_in(path: Path) -> Path:
    return save_overlay(elicited("returns", {0.05: 0.6, 0.95: 1.7}), path, "A guess.")


def part_in(path: Path) -> Path:
    return write_part(xr.Dataset({"x": ("t", [0.0] * 1000)}), path)


def run_in(path: Path) -> Path:
    return save_run(xr.DataTree.from_dict({"posterior": xr.Dataset({"x": ("t", [0.0] * 1000)})}), path)


WRITERS: dict[str, Callable[[Path], Path]] = {
    "summary.csv": lambda path: write_text(path, "x" * 10_000),
    "figure.svg": figure_in,
    "figure.png": figure_in,
    "mine.toml": overlay_in,
    "part.nc": part_in,
    "run.nc": run_in,
}
EVERY_WRITER = pytest.mark.parametrize("name", WRITERS)


# full, and not to be written


@contextlib.contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file may become larger; Python turns the signal into an error, as of a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 100])
@EVERY_WRITER
def test_a_file_that_does_not_fit_leaves_the_old_one(name: str, size: int, tmp_path: Path) -> None:
    path = tmp_path / name
    if name != "mine.toml":  # to an overlay that is there is added
        path.write_bytes(b"old")
    before = contents(tmp_path) if path.suffix != ".nc" else path.read_bytes()
    with largest_file(size), pytest.raises(InputError, match=rf"{name}: cannot be written \(File too large\)") as fault:
        WRITERS[name](path)
    assert len(str(fault.value).splitlines()) == 1
    assert before == (contents(tmp_path) if path.suffix != ".nc" else path.read_bytes())
    assert litter(tmp_path) == []
    if path.suffix == ".nc":
        path.unlink()
    assert WRITERS[name](path).stat().st_size > 100


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_leaves_the_old_file_and_can_be_used_again(disk: Path) -> None:
    write_text(disk / "summary.csv", "old")
    with pytest.raises(InputError, match=r"summary\.csv: cannot be written \(No space left on device\)"):
        write_text(disk / "summary.csv", "x" * 100_000)
    assert (disk / "summary.csv").read_text() == "old"
    assert [path.name for path in disk.iterdir()] == ["summary.csv"]
    assert write_text(disk / "summary.csv", "x" * 10_000).stat().st_size == 10_000


def test_a_folder_that_must_not_be_written_is_refused_before_anything_is_drawn(disk: Path) -> None:
    (disk / "kept").write_text("old")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    for folder in (disk, disk / "new" / "folder"):
        result = CliRunner().invoke(main, [*FIT, "-o", str(folder)])
        assert result.exit_code == 2
        assert (
            result.stderr
            == f"error: {folder}: cannot be written (Read-only file system): choose another folder with -o\n"
        )
    with pytest.raises(InputError, match=r"run\.nc: cannot be written \(Read-only file system\)"):
        run_in(disk / "run.nc")
    assert [path.name for path in disk.iterdir()] == ["kept"]


@pytest.mark.slow
@pytest.mark.parametrize("size", [200, 4096, 100_000, 400_000])
def test_a_run_that_does_not_fit_is_one_message(
    size: int, host: Host, plain: Path, tmp_path: Path, counts: Any
) -> None:
    """The HDF5 library crashed here, with SIGSEGV, after pages of its own errors."""
    shutil.copytree(plain, tmp_path / "out")
    ended = host.run((*FIT, "--seed", "2", "-o", "out"), tmp_path, largest_file=size)
    refused(ended, 2, "out/run.nc: cannot be written (File too large): choose another folder with -o")
    assert contents(tmp_path / "out") == contents(plain)
    assert litter(tmp_path) == []
    counts.add("faults: full disk")


@pytest.mark.parametrize("folder", ["/proc/nowhere", "/dev/null", "x" * 256, "y" * 5000, "/dev/null/below"])
def test_a_folder_that_cannot_be_is_refused(folder: str) -> None:
    result = CliRunner().invoke(main, [*FIT, "-o", folder])
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"error: {folder[:300]}") and ": cannot be written (" in line
    assert line.endswith("choose another folder with -o") and len(line) <= 1010  # the middle of a long name is left out


# two at once


def test_two_that_write_the_same_file_leave_one_of_both(tmp_path: Path) -> None:
    """The first is in mid-write while the second begins and ends; then the first ends."""
    path = tmp_path / "run.nc"
    with replacing(path) as first:
        first.write_bytes(b"first, ")
        replace_file(path, b"second")
        assert path.read_bytes() == b"second"
        with first.open("ab") as file:
            file.write(b"whole")
    assert path.read_bytes() == b"first, whole"
    assert [one.name for one in tmp_path.iterdir()] == ["run.nc"]


@pytest.mark.slow
@pytest.mark.parametrize("tick", [1, 4, 9])
def test_two_commands_that_write_the_same_run_leave_one_of_both(
    tick: int, host: Host, plain: Path, tmp_path: Path, counts: Any
) -> None:
    first = host.run((*FIT, "-o", "out"), tmp_path, stop=["writing run.nc", 1, tick], hold=True)
    assert first.status is None
    succeeds(host.run((*FIT, "--seed", "2", "-o", "out"), tmp_path, name="1"))
    second = contents(tmp_path / "out")
    assert second != contents(plain)
    succeeds(host.resume(first))
    assert contents(tmp_path / "out") == contents(plain)
    assert litter(tmp_path / "out") == []
    counts.add("faults: two writers")


# what a killed process left


@pytest.mark.parametrize("age", [2 * ABANDONED, -1e9], ids=["old", "of the future"])
def test_what_was_left_long_ago_is_removed_and_nothing_else(age: float, tmp_path: Path) -> None:
    names = [f"{whole_files.PREFIX}1.part", f"{whole_files.PREFIX}2.part", ".forecast", "run.nc", ".hidden"]
    for name in names:
        (tmp_path / name).write_text(name)
    now = (tmp_path / names[0]).stat().st_mtime
    for name in names[1:]:
        os.utime(tmp_path / name, (now - age, now - age))
    tidied().clear()
    write_text(tmp_path / "summary.csv", "")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {names[0], ".forecast", "run.nc", ".hidden", "summary.csv"}, "the first is being written"


def test_what_was_left_beside_prior_files_is_no_prior_file(tmp_path: Path) -> None:
    """A killed `priors elicit` leaves its overlay, which is no block of a set."""
    from forecast.places import priors_folder

    folder = tmp_path / "mine"
    shutil.copytree(priors_folder() / "baseline", folder)
    (folder / f"{whole_files.PREFIX}1.toml").write_text("half a fi")
    (folder / ".#compute.toml").write_text("an editor's")
    assert load_priors(folder).digest == load_priors().digest


# clocks, languages


@pytest.mark.parametrize("now", [-1e9, 0.0, 1e9])
def test_progress_speaks_of_no_negative_time(now: float) -> None:
    clock = progress.Clock(10_000, 5.0, (6.0, 500))
    for done in (0, 500, 501, 9_999, 10_000):
        assert "-" not in progress.line("sampling", done, 10_000, clock, now)


@pytest.mark.slow
@pytest.mark.parametrize("jumps", [[0.0, -3e8, 3e8, 0.0], [0.0, 1e9], [-1e9, 0.0]], ids=str)
def test_a_clock_that_jumps_changes_nothing(
    jumps: list[float], host: Host, plain: Path, tmp_path: Path, counts: Any
) -> None:
    succeeds(host.run((*FIT, "-o", "out"), tmp_path, clock=jumps))
    assert contents(tmp_path / "out") == contents(plain)
    counts.add("faults: clock")


def test_a_locale_with_decimal_commas_changes_no_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = german(tmp_path)
    monkeypatch.setenv("LOCPATH", str(tmp_path))
    before = locale.setlocale(locale.LC_ALL)
    plain = CliRunner().invoke(main, ["data", "show", "hardware", "--csv"])
    spoken = CliRunner().invoke(main, SPOKEN)
    try:
        locale.setlocale(locale.LC_ALL, name)
        assert f"{0.5:n}" == "0,5", "the locale is in force"
        assert CliRunner().invoke(main, ["data", "show", "hardware", "--csv"]).stdout == plain.stdout
        assert CliRunner().invoke(main, SPOKEN).stdout == spoken.stdout
        assert load_priors()["depth_exponent"].statement["params"]["mu"] == 0.25
        figure_in(tmp_path / "figure.svg")
    finally:
        locale.setlocale(locale.LC_ALL, before)
    assert plain.exit_code == spoken.exit_code == 0


def german(folder: Path) -> str:
    """A German locale, made here; where that cannot be, the test is skipped."""
    made = subprocess.run(
        ["localedef", "-i", "de_DE", "-f", "UTF-8", str(folder / "de_DE.UTF-8")], capture_output=True, check=False
    )
    if made.returncode not in (0, 1) or not (folder / "de_DE.UTF-8").is_dir():
        pytest.skip("no locale can be made here: localedef or its sources are missing")
    return "de_DE.UTF-8"


@pytest.mark.slow
def test_a_run_in_a_locale_with_decimal_commas_is_the_same(
    host: Host, plain: Path, tmp_path: Path, counts: Any
) -> None:
    """In a new process, whose libraries find it from the first."""
    surroundings = {"LOCPATH": str(tmp_path), "LC_ALL": german(tmp_path), "LANG": "de_DE.UTF-8"}
    started = "import locale; locale.setlocale(locale.LC_ALL, ''); from forecast.cli import main; main()"
    subprocess.run(
        [sys.executable, "-c", started, *FIT, "-o", "out"], cwd=tmp_path, env=os.environ | surroundings, check=True
    )
    assert contents(tmp_path / "out") == contents(plain)
    counts.add("faults: locale")


# homes, folders for caches


def test_a_user_without_a_home_gets_a_diagnosis(monkeypatch: pytest.MonkeyPatch) -> None:
    """No HOME, and no entry among the users."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    monkeypatch.setenv("PYTENSOR_FLAGS", "")
    assert set(installation.caches()) == {"writable", "kept"}


BARE = {"PATH": os.environ.get("PATH", "")}
HOMELESS = {
    "no HOME": BARE,
    "a HOME that cannot be written": BARE | {"HOME": "/proc/nowhere"},
    "a HOME that is a file": BARE | {"HOME": "/dev/null"},
    "no TMPDIR": BARE | {"TMPDIR": "/nowhere", "XDG_CACHE_HOME": "/proc/nowhere"},
    "ASCII": BARE | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"},
}


@pytest.mark.slow
@pytest.mark.parametrize("surroundings", HOMELESS.values(), ids=HOMELESS)
def test_a_run_needs_no_surroundings(
    surroundings: dict[str, str], host: Host, plain: Path, tmp_path: Path, counts: Any
) -> None:
    """Nor stdin. What it writes is the same, what it says ends well."""
    command = [sys.executable, "-m", "forecast", *FIT, "-o", "out ö"]
    ended = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *command], cwd=tmp_path, env=surroundings, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    assert contents(tmp_path / "out ö") == contents(plain)
    counts.add("faults: surroundings")


# names


NAMES = [
    "with spaces",
    "ö — 日本 🎲",
    "quote'\"$x`y`",
    "-dash",
    "--quiet",
    "new\nline",
    "tab\t",
    "%s{}",
    "*",
    "é" * 120,
    "\udcff",
]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_run_goes_where_it_is_told(name: str, host: Host, plain: Path, tmp_path: Path, counts: Any) -> None:
    ended = host.run((*FIT, f"--output={name}"), tmp_path)
    succeeds(ended)
    assert ended.stderr == ""
    assert contents(tmp_path / name) == contents(plain)
    read = host.run(("project", f"./{name}/run.nc", "--years", "2030", "--json"), tmp_path)
    succeeds(read)
    assert json.loads(read.stdout)
    counts.add("faults: names")


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_every_name_can_be_written_and_is_said(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    assert write_text(folder / "summary.csv", "x").read_text() == "x"
    assert figure_in(folder / "figure.svg").stat().st_size > 100
    assert overlay_in(folder / "mine.toml").stat().st_size > 100
    assert run_in(folder / "run.nc").stat().st_size > 100
    result = CliRunner().invoke(main, ["project", str(folder / "run.nc")])
    assert result.exit_code == 2
    assert isinstance(result.exception, SystemExit)
    assert "not a run of forecast" in result.stderr


# pipes and terminals


def said(arguments: tuple[str, ...], redirection: str, **surroundings: str) -> subprocess.CompletedProcess[str]:
    """A command in a shell, with its output sent somewhere."""
    command = ["sh", "-c", f'"$@" {redirection}', "sh", sys.executable, "-m", "forecast", *arguments]
    return subprocess.run(command, env=os.environ | surroundings, capture_output=True, text=True, check=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_an_output_that_is_full_is_one_message() -> None:
    ended = said(SPOKEN, "> /dev/full")
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert ended.stderr.startswith("error: ") and "No space left on device" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_reader_that_leaves_early_hears_no_complaint() -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "forecast", "data", "show", "training_runs", "--csv"]
    ended = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert ended.stderr == ""
    assert ended.returncode in (0, 1)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-"])
def test_streams_that_are_closed_are_done_without(closed: str) -> None:
    ended = said(SPOKEN, closed)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_narrow_encoding_loses_nothing(tmp_path: Path) -> None:
    """Signs that it lacks are escaped; JSON is read back as it was. Of ASCII, click makes UTF-8 by itself."""
    command = ("priors", "check", str(tmp_path / "日本"))
    refusal = said(command, "", PYTHONIOENCODING="latin-1")
    assert refusal.returncode == 2
    assert "\\u65e5\\u672c: no such folder" in refusal.stderr
    for encoding in ("latin-1", "cp1252", "ascii"):
        assert json.loads(spoken("printing.emit_json({'é日': '… \\udcff'})", encoding)) == {"é日": "… \udcff"}
    assert spoken("click.echo('日本')", "latin-1") == "\\u65e5\\u672c\n"


def spoken(work: str, encoding: str) -> str:
    """What a command that does some work prints in an encoding."""
    code = f"import click; from forecast.cli import main, printing; x = click.Command('x', callback=lambda: {work}); "
    code += "main.add_command(x); main(['x'])"
    surroundings = os.environ | {"PYTHONIOENCODING": encoding}
    ended = subprocess.run([sys.executable, "-c", code], env=surroundings, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.decode("ascii")
