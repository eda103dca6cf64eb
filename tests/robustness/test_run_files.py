"""A run file that is damaged, incomplete, from elsewhere or a trap is refused in one message before it costs memory."""

from __future__ import annotations

import json
import os
import pickle
import random
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from robustness.readers import check_message

from forecast.cli import main
from forecast.errors import InputError
from forecast.run_files import LENGTH, NEEDED, SEAL, foreign, seal, seal_broken
from forecast.runs import load_draws, load_run, read_provenance, save_run, with_provenance
from forecast.schema import STATED

if TYPE_CHECKING:
    from robustness.conftest import Counts

READERS = pytest.mark.parametrize("load", [load_run, load_draws])


@pytest.fixture(scope="module")
def content(prior_run: xr.DataTree, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    posterior = prior_run["posterior"].to_dataset().isel(draw=slice(0, 20))
    groups = {
        "posterior": posterior,
        "prior": posterior[["returns"]],
        "constant_data": prior_run["constant_data"].to_dataset(),
    }
    small = xr.DataTree.from_dict(groups)
    small.attrs = dict(prior_run.attrs)
    return save_run(small, tmp_path_factory.mktemp("runs") / "run.nc").read_bytes()


@pytest.fixture
def saved(content: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "run.nc"
    path.write_bytes(content)
    return path


def refused(load: Callable[[Path], Any], file: Path, word: str = "") -> str:
    """The one message with which a file is refused; the file stays as it is."""
    before = file.read_bytes()
    with pytest.raises(InputError) as caught:
        load(file)
    message = str(caught.value)
    check_message(message, (str(file),))
    assert len(message.splitlines()) == 1
    assert word in message
    assert file.read_bytes() == before
    return message


def test_a_run_is_sealed_and_read_as_before(saved: Path, content: bytes) -> None:
    assert content[-LENGTH:].startswith(SEAL)
    assert not seal_broken(saved)
    assert foreign(saved) == ""
    assert load_run(saved)["posterior"].sizes["draw"] == 20
    with xr.open_dataset(saved, group="posterior", engine="h5netcdf") as other:  # any other reader of netCDF
        assert other.sizes["draw"] == 20


def test_without_its_seal_it_is_read_too(saved: Path, content: bytes) -> None:
    """A run that another version or tool wrote has none."""
    saved.write_bytes(content[:-LENGTH])
    assert load_run(saved)["posterior"].sizes["draw"] == 20
    assert load_draws(saved)["posterior"].sizes["draw"] == 20


@READERS
@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.7, 0.9, 0.99999])
def test_one_bit_turned_over_anywhere_is_noticed(saved: Path, content: bytes, share: float, load: Any) -> None:
    """Else a wrong number would be printed: HDF5 has no checksum of its own."""
    at = int(share * (len(content) - LENGTH))
    saved.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    refused(load, saved, "damaged")


def flips(saved: Path, content: bytes, number: int) -> int:
    """Random damage of a sealed file, bits, runs of bytes, cuts: each is refused or leaves the numbers as they are."""
    chance, whole = random.Random(1), load_draws(saved)["posterior"].to_dataset()
    for index in range(number):
        at = chance.randrange(len(content) - LENGTH)
        end = min(at + chance.choice([1, 1, 8, 512, 4096]), len(content))
        if index % 4 == 3:
            saved.write_bytes(content[:at])
        else:
            saved.write_bytes(content[:at] + chance.randbytes(end - at) + content[end:])
        load = load_run if index % 20 == 0 else load_draws
        try:
            found = load(saved)["posterior"].to_dataset()
        except InputError as error:
            check_message(str(error), (str(saved),))
        else:
            assert saved.read_bytes() == content or found.equals(whole)
    return number


def test_random_damage_is_noticed(saved: Path, content: bytes, counts: Counts) -> None:
    counts.add("run files damaged at random", flips(saved, content, 40))


@pytest.mark.slow
def test_random_damage_is_noticed_in_hundreds(saved: Path, content: bytes, counts: Counts) -> None:
    counts.add("run files damaged at random", flips(saved, content, 500))


UNSEALED = """
import random, sys
from pathlib import Path
from forecast.errors import InputError
from forecast.runs import load_draws
content, file = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])
for index in range(int(sys.argv[3]), int(sys.argv[4])):
    chance = random.Random(index)
    head = chance.random() < 0.7  # where most of what HDF5 says of itself is
    at = chance.randrange(min(len(content), 60_000) if head else len(content))
    file.write_bytes(content[:at] + chance.randbytes(chance.choice([1, 2, 8])) + content[at + 8:])
    print(index, flush=True)
    try:
        load_draws(file)
    except InputError:
        pass
print("done")
"""


@pytest.mark.slow
def test_damage_without_a_seal_raises_nothing_else(content: bytes, tmp_path: Path, counts: Counts) -> None:
    """Numbers may then be wrong, which nobody can tell; in a process of its own, as HDF5 itself may crash on such a file."""
    (tmp_path / "whole.nc").write_bytes(content[:-LENGTH])
    start, number, crashed = 0, 400, 0
    while start < number:
        command = [
            sys.executable,
            "-c",
            UNSEALED,
            str(tmp_path / "whole.nc"),
            str(tmp_path / "run.nc"),
            str(start),
            str(number),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1200)
        said = done.stdout.split()
        if said[-1:] == ["done"]:
            break
        assert done.returncode < 0, done.stderr[-2000:]  # a signal: HDF5's own fault
        crashed, start = crashed + 1, int(said[-1]) + 1
    counts.add("run files damaged without a seal", number)
    counts.add("crashes of HDF5 in them", crashed)
    assert crashed <= number // 100


def edited(file: Path, change: Callable[[h5py.File], None], sealed: bool = True) -> None:
    """The file with something else in it, and sealed again: what somebody writes on purpose."""
    file.write_bytes(file.read_bytes()[:-LENGTH])
    with h5py.File(file, "r+") as tree:
        change(tree)
    if sealed:
        seal(file)


def outside(tree: h5py.File) -> None:
    tree["posterior/passwd"] = h5py.ExternalLink("/etc/passwd", "/")


def soft(tree: h5py.File) -> None:
    tree["posterior/other"] = h5py.SoftLink("/prior")


def circle(tree: h5py.File) -> None:
    tree["posterior/again"] = tree["/"]


def raw(tree: h5py.File) -> None:
    tree["posterior"].create_dataset("returns2", (40,), "u1", external=[("/etc/passwd", 0, 40)])


def virtual(tree: h5py.File) -> None:
    layout = h5py.VirtualLayout((5,), "f8")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (5,))
    tree["posterior"].create_virtual_dataset("returns2", layout)


def huge(tree: h5py.File) -> None:
    tree["posterior"].create_dataset("bomb", (10**7, 10**6), "f8", chunks=(1000, 1000))


def zipped(tree: h5py.File) -> None:
    tree["posterior"].create_dataset("bomb", data=np.zeros(8 * 10**7 // 8), chunks=(10**6,), compression="gzip")


def wide_chunk(tree: h5py.File) -> None:
    tree["posterior"].create_dataset("bomb", (10,), "f8", maxshape=(None,), chunks=(3 * 10**8,), compression="gzip")


def ragged(tree: h5py.File) -> None:
    tree["posterior"].create_dataset("odd", (3,), h5py.vlen_dtype(np.float64))


def references(tree: h5py.File) -> None:
    tree["posterior"].create_dataset("odd", (3,), h5py.ref_dtype)


def deep(tree: h5py.File) -> None:
    tree.create_group("/".join(["g"] * 200))


TRAPS: dict[str, tuple[Callable[[h5py.File], None], str]] = {
    "a link to another file": (outside, "links 'passwd'"),
    "a link within": (soft, "links 'other'"),
    "a group within itself": (circle, "without end"),
    "numbers in another file": (raw, "in another file"),
    "numbers of another file": (virtual, "in another file"),
    "80 TB of zeros": (huge, "GB of numbers"),
    "80 MB of zeros, compressed": (zipped, "GB of numbers"),
    "a piece of 2.4 GB": (wide_chunk, "GB of numbers"),
    "lists of any length": (ragged, "neither numbers nor text"),
    "pointers": (references, "neither numbers nor text"),
    "groups 200 deep": (deep, "without end"),
}


@READERS
@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_is_refused_before_it_is_read(saved: Path, trap: str, load: Any) -> None:
    change, word = TRAPS[trap]
    edited(saved, change)
    least = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(load, saved, word)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - least < 100_000  # kB


def attribute(text: Any) -> Callable[[h5py.File], None]:
    def change(tree: h5py.File) -> None:
        tree.attrs["forecast"] = text

    return change


def record_with(**changes: Any) -> Callable[[h5py.File], None]:
    """The record with other entries; None takes one out."""

    def change(tree: h5py.File) -> None:
        record = json.loads(tree.attrs["forecast"]) | changes
        tree.attrs["forecast"] = json.dumps({name: value for name, value in record.items() if value is not None})

    return change


def without(path: str) -> Callable[[h5py.File], None]:
    def change(tree: h5py.File) -> None:
        del tree[path]

    return change


def renumbered(name: str, values: Any) -> Callable[[h5py.File], None]:
    def change(tree: h5py.File) -> None:
        del tree[f"posterior/{name}"]
        tree[f"posterior/{name}"] = values

    return change


BROKEN: dict[str, tuple[Callable[[h5py.File], None], str]] = {
    "a record that is no JSON": (attribute('{"schema": 1'), "damaged"),
    "a record that is a list": (attribute("[1]"), "damaged"),
    "a record that is a number": (attribute(1.0), "no attribute"),
    "a record nested 100,000 deep": (attribute("[" * 100_000), "damaged"),
    "a record of another version": (record_with(schema=99), "schema version 99"),
    "a version that is a list": (record_with(schema=[1]), "schema version"),
    "no kind": (record_with(kind=None), "'kind' is missing"),
    "another kind": (record_with(kind="poster"), "'kind' cannot be read"),
    "priors that are a list": (record_with(priors=[1]), "'priors'"),
    "priors of numbers": (record_with(priors={"returns": 1}), "'priors'"),
    "a day that is none": (record_with(as_of="2026-02-30"), "'as_of'"),
    "no digests": (record_with(digests={}), "'digests'"),
    "years of text": (record_with(years=["2026"]), "'settings'"),
    "scenarios of numbers": (record_with(scenarios=[1]), "'settings'"),
    "a gate without a verdict": (record_with(gate={"passed": "yes"}), "'gate'"),
    "parameters without names": (record_with(parameters=[{"block": "x"}]), "'parameters'"),
    "tables of other lengths": (
        record_with(observations={"x": {"columns": ["a"], "rows": [[1, 2]]}}),
        "'observations'",
    ),
    "no group of draws": (without("posterior"), "'posterior' is missing"),
    "no constants": (without("constant_data"), "'constant_data' is missing"),
    "a parameter missing": (without("posterior/returns"), "'returns' is missing"),
    "a constant missing": (without("constant_data/as_of_year"), "'as_of_year' is missing"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_run_is_refused_with_what_is_wrong(saved: Path, what: str) -> None:
    change, word = BROKEN[what]
    edited(saved, change)
    refused(load_draws, saved, word)


@pytest.mark.slow
@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_run_is_refused_whole_too(saved: Path, what: str) -> None:
    change, word = BROKEN[what]
    edited(saved, change)
    refused(load_run, saved, word)


@pytest.mark.parametrize("values", [np.array([b"a", b"b"]), np.zeros((2, 3))])
def test_draws_of_another_shape_or_kind_are_refused(saved: Path, values: Any) -> None:
    edited(saved, renumbered("returns", values))
    refused(load_draws, saved)


FILES: dict[str, bytes] = {
    "nothing": b"",
    "text": b"variable,date,value\n",
    "a pickle": pickle.dumps(print),
    "a zip": b"PK\x03\x04" + b"\x00" * 100,
    "netCDF 3": b"CDF\x01" + b"\x00" * 100,
    "the first bytes of HDF5": b"\x89HDF\r\n\x1a\n" + b"\x00" * 5000,
    "a seal alone": SEAL + b"0" * 64 + b"\n",
}


@READERS
@pytest.mark.parametrize("what", FILES)
def test_another_kind_of_file_is_refused(what: str, tmp_path: Path, load: Any) -> None:
    file = tmp_path / "run.nc"
    file.write_bytes(FILES[what])
    refused(load, file)


@pytest.mark.parametrize("command", ["project", "takeoff", "report", "check", "sensitivity", "leap", "watch"])
def test_the_command_line_refuses_a_damaged_run(command: tuple[str, ...], saved: Path, content: bytes) -> None:
    """With exit code 2, one line on stderr, nothing on stdout and no file written."""
    saved.write_bytes(content[: len(content) // 2] + b"x" + content[len(content) // 2 + 1 :])
    result = CliRunner().invoke(main, [command, str(saved)])
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert result.stderr.startswith(f"error: {saved}: damaged")
    assert [path.name for path in saved.parent.iterdir()] == ["run.nc"]


def test_every_parameter_of_the_model_is_needed_unless_another_states_it(prior_run: xr.DataTree) -> None:
    held = {*prior_run["posterior"].data_vars, *prior_run["constant_data"].data_vars}
    assert set(NEEDED) <= held
    assert len(NEEDED) > 0.8 * len(STATED)


def test_what_is_in_memory_needs_no_seal(prior_run: xr.DataTree) -> None:
    """A run that was changed in Python is sealed anew when it is saved."""
    again = with_provenance(prior_run.copy(), read_provenance(prior_run) | {"views": ["mine"]})
    assert read_provenance(again)["views"] == ["mine"]


def test_the_seal_is_in_the_file_before_it_takes_its_place(
    prior_run: xr.DataTree, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is at the place of a run is never one without its seal."""
    seen: list[bool] = []
    replace = os.replace

    def watched(source: str, target: Path) -> None:
        seen.append(Path(source).read_bytes()[-LENGTH:].startswith(SEAL) and not seal_broken(Path(source)))
        replace(source, target)

    monkeypatch.setattr(os, "replace", watched)
    save_run(prior_run, saved)
    assert seen == [True]
