"""Whatever a user hands in is taken, with finite numbers, or refused in one clear message; nothing on disk is touched.

A message names the place (file and line, table, text), the fault and the remedy on every line. The share of the cases that
runs in CI is small; ``uv run pytest -m slow tests/robustness`` runs all, and what was found is kept in `BY_HAND`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, Phase, given, settings
from robustness import strategies as bad
from robustness.readers import KINDS, check_message, fault_of

from forecast.cli import main
from forecast.errors import clear
from forecast.places import priors_folder

if TYPE_CHECKING:
    from robustness.conftest import Counts

QUICK, WHOLE = 200, 3000
SHARES = {name: 1.0 / len(KINDS) for name in KINDS}
ROOM_FOR_FUZZ = float(os.environ.get("FUZZ_SECONDS", "30"))


def digests(folder: Path) -> dict[str, str]:
    """What stands in a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def folders() -> Iterator[dict[str, Path]]:
    """A folder for each kind of file, with what must lie beside it."""
    with tempfile.TemporaryDirectory() as name:
        found = {kind: Path(name) / str(number) for number, kind in enumerate(KINDS)}
        for folder in found.values():
            folder.mkdir()
        for file in (priors_folder() / "baseline").glob("*.toml"):
            shutil.copy(file, found["prior set"])
        yield found


def hold(kind: str, case: Any, folder: Path) -> str | None:
    """Hand a case in: the message with which it is refused, None where it is accepted."""
    given_: Any = case
    if KINDS[kind].file is not None:
        given_ = folder / KINDS[kind].file
        given_.write_bytes(case)
    before = digests(folder)
    message = fault_of(KINDS[kind], given_)
    if message is not None:
        check_message(message, KINDS[kind].place(given_))
    assert digests(folder) == before
    return message


def run_cases(kind: str, folder: Path, examples: int) -> tuple[int, int]:
    """So many damaged files of a kind; how many were accepted and how many refused."""
    seen = {True: 0, False: 0}

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(KINDS[kind].cases)
    def cases(case: Any) -> None:
        seen[hold(kind, case, folder) is None] += 1

    cases()
    return seen[True], seen[False]


@pytest.mark.parametrize("kind", KINDS)
def test_bad_input_is_refused_in_one_message(kind: str, folders: dict[str, Path], counts: Counts) -> None:
    accepted, refused = run_cases(kind, folders[kind], QUICK // len(KINDS) + 1)
    counts.add("bad inputs", accepted + refused)
    assert refused, "damage that nobody notices is none"


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_bad_input_is_refused_in_one_message_in_thousands(kind: str, folders: dict[str, Path], counts: Counts) -> None:
    accepted, refused = run_cases(kind, folders[kind], WHOLE // len(KINDS) + 1)
    counts.add("bad inputs, accepted with finite numbers", accepted)
    counts.add("bad inputs, refused in one clear message", refused)
    assert refused


def test_the_files_that_are_damaged_are_good_ones(folders: dict[str, Path]) -> None:
    """Else every message would be about something else."""
    whole = {
        "overlay": bad.OVERLAY,
        "scenario": bad.SCENARIO,
        "organisations": bad.ORGANISATIONS,
        "sweep grid": bad.GRID,
    }
    whole |= {"sweep cases": bad.CASES, "settings": bad.SETTINGS}
    for kind, tree in whole.items():
        assert hold(kind, bad.document(tree).encode(), folders[kind]) is None, kind
    for kind in KINDS:
        if kind.startswith("table "):
            assert hold(kind, bad.shipped_table(kind.removeprefix("table ")).encode(), folders[kind]) is None, kind
    assert hold("resolutions", bad.RESOLUTIONS.encode(), folders["resolutions"]) is None
    for text in bad.ASSIGNMENTS:
        assert hold("--set", text, folders["--set"]) is None, text


@pytest.mark.parametrize(
    ("message", "wrong"),
    [
        ("mine.toml: priors.x: is wrong", "remedy"),
        ("priors.x: is wrong: write another", "place"),
        ("mine.toml:1: a\x1b[2J: is wrong: write another", "printable"),
        (f"mine.toml:1: {'x' * 2000}: write another", "characters"),
        ("", "empty"),
        ("mine.toml:1: x: is wrong: write another\nTraceback (most recent call last)", "place"),
    ],
)
def test_the_check_of_messages_fails_where_it_should(message: str, wrong: str) -> None:
    with pytest.raises(AssertionError, match=wrong):
        check_message(message, ("mine.toml:",))


def overlay(entry: str) -> str:
    """An overlay with one table of its own."""
    return f'[overlay]\ndescription = "x"\n{entry}\n[sources.a]\ncite = "A"\nlocator = "p"\n'


def prior(statement: str, name: str = "returns", units: str = "1") -> str:
    return overlay(f'[priors.{name}]\n{statement}\nunits = "{units}"\nsource = ["a"]')


def table(name: str, *, column: str, cell: str, row: int = 1) -> str:
    """A shipped table with one cell replaced."""
    import csv
    import io

    rows = list(csv.reader(io.StringIO(bad.shipped_table(name))))
    rows[row][rows[0].index(column)] = cell
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


DIGITS = "9" * 5000
DEEP = "{ a = " * 3000 + "1" + " }" * 3000
BY_HAND: dict[str, tuple[str, str | bytes, str]] = {  # what: kind, content, word of the message
    "a whole number of 5000 digits": ("overlay", prior(f"value = {DIGITS}"), "too many digits"),
    "a key of 5000 letters": ("overlay", overlay(f"[settings]\n{'x' * 5000} = 1"), "unknown key"),
    "a key with a line break": ("overlay", overlay('[settings]\n"a\\nb" = 1'), r"a\nb"),
    "a key that clears the screen": ("overlay", overlay('[settings]\n"\\u001b[2J" = 1'), r"\x1b[2J"),
    "a parameter's name with a line break": ("overlay", prior("value = 1", '"a\\nb"'), r"a\nb"),
    "a name from right to left": ("overlay", prior("value = 1", '"\\u202egnp"'), r"\u202e"),
    "references that are tables": (
        "overlay",
        '[overlay]\ndescription = "x"\nreferences = [{}, [1]]\n[priors]',
        "references",
    ),
    "a probability stated twice": (
        "overlay",
        prior('distribution = "Normal"\nquantiles = { "0.05" = 1.0, "5e-2" = 2.0, "0.95" = 3.0 }'),
        "second time",
    ),
    "a lognormal beyond all numbers": (
        "overlay",
        prior('distribution = "LogNormal"\nparams = { mu = 1e6, sigma = 1.0 }'),
        "beyond what can be computed",
    ),
    "a Student t without a tail's end": (
        "overlay",
        prior('distribution = "StudentT"\nparams = { nu = 1e-3, mu = 0.0, sigma = 1.0 }'),
        "beyond all numbers",
    ),
    "an interval of nan": ("overlay", prior('distribution = "Normal"\ninterval = [nan, 1.0]'), "not finite"),
    "an interval of inf": ("overlay", prior('distribution = "Normal"\ninterval = [0.0, inf]'), "not finite"),
    "an interval that runs backwards": (
        "overlay",
        prior('distribution = "Normal"\ninterval = [2, 1]'),
        "smaller number",
    ),
    "an interval of no width": ("overlay", prior('distribution = "Normal"\ninterval = [1, 1]'), "[1, 1]"),
    "a mass in per cent": ("overlay", prior('distribution = "Normal"\ninterval = [0, 1]\nmass = 90'), "0.90 for 90%"),
    "another unit": ("overlay", prior("value = 90", "training_days", "s"), "'days'"),
    "a value that is a table": ("overlay", prior("value = { a = 1 }"), "is not a number"),
    "a value that is a date": ("overlay", prior("value = 2026-11-01"), "is not a number"),
    "a source of its own twice": (
        "overlay",
        prior("value = 1") + '[sources.a]\ncite = "B"\nlocator = "p"\n',
        "syntax",
    ),
    "nested three thousand deep": ("overlay", prior(f"value = {DEEP}"), "too deeply"),
    "a dotted key of 5000 parts": ("overlay", f"[priors]\n{'a.' * 5000}b = 1\n", "too deeply"),
    "brackets without end": ("overlay", "x = " + "[" * 100_000, "too deeply"),
    "nothing at all": ("overlay", "", "overlay: is missing"),
    "a NUL": ("overlay", prior("value = 1") + "\x00", "syntax"),
    "UTF-16": ("overlay", prior("value = 1").encode("utf-16"), "not UTF-8"),
    "half a letter": ("overlay", prior("value = 1").encode() + b"\xe2\x80", "not UTF-8"),
    "an extended file elsewhere": ("overlay", '[overlay]\ndescription = "x"\nextends = "../../x"\n', "no view named"),
    "an extended file in /etc": ("overlay", '[overlay]\ndescription = "x"\nextends = "/etc/passwd"\n', "no view named"),
    "an extended file behind a NUL": (
        "overlay",
        '[overlay]\ndescription = "x"\nextends = "a\\u0000"\n',
        "no view named",
    ),
    "itself extended": ("overlay", '[overlay]\ndescription = "x"\nextends = "mine"\n', "circle"),
    "a leap of 1e999": ("scenario", '[overlay]\ndescription = "x"\n[settings]\nhardware_leap_factor = 1e999', "factor"),
    "settings in Latin-1": ("settings", b'as_of = "2026-11-0\xe9"', "not UTF-8"),
    "settings with nothing": ("settings", "", "is missing"),
    "settings that run backwards": ("settings", bad.document(bad.SETTINGS | {"last_year": 2020}), "swap"),
    "draws for a thousand computers": ("settings", bad.document(bad.SETTINGS | {"draws": 10**15}), "draws"),
    "a seed of 400 digits": ("settings", bad.document(bad.SETTINGS | {"random_seed": 10**400}), "random_seed"),
    "tokens over nothing": (
        "table tokens_per_param",
        table("tokens_per_param", column="tokens", cell="1e-308").replace("active_params", "active_params"),
        "tokens_per_param",
    ),
    "a rank of 5000 digits": ("table training_runs", table("training_runs", column="rank", cell=DIGITS), "rank"),
    "a flag of 400 digits": (
        "table time_horizons",
        table("time_horizons", column="censored", cell="9" * 400),
        "censored",
    ),
    "a share in per cent": (
        "table training_utilization",
        table("training_utilization", column="training_utilization", cell="43"),
        "0.43",
    ),
    "a date that is none": (
        "table run_durations",
        table("run_durations", column="date", cell="2026-02-30"),
        "YYYY-MM-DD",
    ),
    "a negative length": ("table run_durations", table("run_durations", column="training_days", cell="-5"), "above 0"),
    "not a number": ("table run_durations", table("run_durations", column="training_days", cell="nan"), "finite"),
    "digits of another script": (
        "table run_durations",
        table("run_durations", column="date", cell="２０２４-01-01"),
        "date",
    ),
    "an open quote": ("table run_durations", bad.shipped_table("run_durations") + '"', "CSV"),
    "a cell of 200 kB": (
        "table run_durations",
        table("run_durations", column="source", cell="x" * 200_000),
        "CSV",
    ),
    "a header alone": ("table run_durations", bad.shipped_table("run_durations").splitlines()[0], "no rows"),
    "an empty table": ("table run_durations", "", "empty"),
    "10,000 rows of rubbish": (
        "table run_durations",
        bad.shipped_table("run_durations").splitlines()[0] + "\n" + "x\n" * 10_000,
        "more faults",
    ),
    "10,000 unknown keys": ("overlay", "[overlay]\n" + "".join(f"k{i} = 1\n" for i in range(10_000)), "more faults"),
    "an answer of 5000 digits": (
        "resolutions",
        f"variable,date,value\nlog10_training_flop,2027-12-31,{DIGITS}\n",
        "value",
    ),
    "an output of 5000 digits, far from the list of those known": (
        "resolutions",
        f"variable,date,value\n{DIGITS},2027-12-31,27.9\n",
        "known:",
    ),
    "an answer in another column": ("resolutions", "variable,date\nlog10_training_flop,2027-12-31\n", "value"),
    "a sweep of a file behind a NUL": ("sweep cases", 'run = "a\\u0000b"\n[[case]]\nform = "trend"\n', "run"),
    "a sweep with a view elsewhere": (
        "sweep grid",
        '[prior]\ndraws = 20\n[grid]\nviews = ["../mine.toml"]\n',
        "views",
    ),
    "a sweep with a view in /etc": ("sweep grid", '[prior]\ndraws = 20\n[grid]\nviews = ["/etc/x.toml"]\n', "views"),
    "an organisation without people": (
        "organisations",
        '[organisations.A]\nresearchers = 0\nh100 = 1\ndays = 1\nsource = "x"\n',
        "above 0",
    ),
    "an organisation of 1e400 people": (
        "organisations",
        '[organisations.A]\nresearchers = 1e400\nh100 = 1\ndays = 1\nsource = "x"\n',
        "not finite",
    ),
    "a value of 5000 digits": ("--set", f"returns={DIGITS}", "--set"),
    "a call in a value": ("--set", "returns=__import__('os').system('x')", "--set"),
    "a family beyond all numbers": ("--set", "returns=LogNormal(mu=1e6, sigma=1)", "beyond"),
    "an unknown name of 5000 letters": ("--set", "x" * 5000 + "=1", "no parameter"),
    "one quantile": ("elicitation", "0.5=1", "at least two"),
    "a link to a run from right to left": ("share link", "run=\u202egnp", "another run"),
    "a link with a million fields": ("share link", "a=1&" * 100_000, "characters"),
}


@pytest.mark.parametrize("what", BY_HAND)
def test_the_nastiest_cases_by_hand(what: str, folders: dict[str, Path], counts: Counts) -> None:
    kind, content, word = BY_HAND[what]
    as_file = KINDS[kind].file is not None
    case = content.encode("utf-8", "surrogatepass") if as_file and isinstance(content, str) else content
    message = hold(kind, case, folders[kind])
    assert message is not None, "was accepted"
    assert word in message
    counts.add("bad inputs by hand")


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


ON_THE_COMMAND_LINE = {  # kind: the commands that read such a file
    "overlay": (("priors", "check", "{file}"), ("priors", "show", "returns", "--view", "{file}")),
    "prior set": (("priors", "check", "{folder}"), ("priors", "show", "returns", "--priors", "{folder}")),
    "folder of tables": (("data", "check", "{folder}"), ("data", "show", "run_durations", "--tables", "{folder}")),
    "settings": (("data", "show", "run_durations", "--tables", "{folder}"),),
    "resolutions": (("score", "{folder}/none.nc", "{file}"),),
    "sweep grid": (("sweep", "{file}", "-o", "{folder}/out"),),
    "--set": (("priors", "show", "returns", "--set", "{text}"),),
}


@pytest.mark.parametrize("kind", ON_THE_COMMAND_LINE)
def test_the_command_line_says_it_too_and_prints_no_number(kind: str, folders: dict[str, Path], tmp_path: Path) -> None:
    """One ``error:`` per fault on stderr (a checker: the faults on stdout), exit code 2, and no file more than before."""
    found = [(content, word) for other, content, word in BY_HAND.values() if other == kind]
    found += [(b"\xff\xfe\x00", "")] if KINDS[kind].file else []
    content, _ = found[0] if kind != "folder of tables" else (b'model,date\n"', "")
    if kind == "folder of tables":
        (tmp_path / "hardware.csv").write_bytes((Path(bad.SHIPPED) / "hardware.csv").read_bytes())
    if KINDS[kind].file is not None:
        (tmp_path / str(KINDS[kind].file)).write_bytes(content if isinstance(content, bytes) else content.encode())
    if kind == "settings":
        shutil.copy(bad.SHIPPED / "hardware.csv", tmp_path)
    before = digests(tmp_path)
    for command in ON_THE_COMMAND_LINE[kind]:
        text = content if isinstance(content, str) else ""
        file = tmp_path / str(KINDS[kind].file)
        result = call(*(word.format(file=file, folder=tmp_path, text=text) for word in command))
        assert result.exit_code == 2, result.output
        assert isinstance(result.exception, SystemExit)
        checker = command[1] == "check"
        assert (result.stderr if checker else result.stdout) == ""
        lines = (result.stdout if checker else result.stderr).splitlines()
        assert lines
        assert all(checker or line.startswith("error: ") for line in lines)
        assert all(line.isprintable() for line in lines)
        assert digests(tmp_path) == before


@pytest.mark.parametrize("name", ["returns.toml", "pipe.csv"])
def test_a_pipe_is_not_waited_for(name: str, tmp_path: Path) -> None:
    path = tmp_path / ("mine.toml" if name.endswith("toml") else "hardware.csv")
    os.mkfifo(path)
    command = ("priors", "check", str(tmp_path)) if name.endswith("toml") else ("data", "check", str(tmp_path))
    result = call(*command)
    assert result.exit_code in (2, 4)
    assert path.name in result.output


def test_what_a_terminal_would_obey_is_shown_instead() -> None:
    assert clear("a\x1b[2Jb\nc\u202e") == r"a\x1b[2Jb\nc\u202e"
    assert clear("plain: ü 🙂") == "plain: ü 🙂"
    long = clear("mine.toml:1: " + "x y" * 10**6 + "x: write another")
    assert len(long) == 1000
    assert clear("mine.toml:1: " + "9" * 10**6 + " (known: a)") == f"mine.toml:1: {'9' * 60}... (known: a)"
    assert long.startswith("mine.toml:1: x")
    assert long.endswith("x: write another")


def test_a_message_through_the_command_line_keeps_its_lines() -> None:
    result = call("priors", "show", "--set", "x=1", "--set", "y=\u2028")
    assert result.exit_code == 2
    assert [line[:13] for line in result.stderr.splitlines()] == ["error: --set '"[:13]] * 2


FUZZER = Path(__file__).with_name("fuzz_readers.py")


def fuzz_command() -> tuple[list[str], str]:
    """How to run the fuzzer here, or why it cannot be."""
    try:
        import atheris  # type: ignore[import-not-found]  # noqa: F401

        return [sys.executable, str(FUZZER)], ""
    except ImportError:
        uv = shutil.which("uv")
    if uv is None:
        return [], "neither atheris nor uv is installed: pip install atheris"
    command = [uv, "run", "--no-sync", "--with", "atheris", "python", str(FUZZER)]
    tried = subprocess.run(
        [*command, "--version"], capture_output=True, text=True, check=False, cwd=FUZZER.parents[2], timeout=600
    )
    return (command, "") if tried.returncode == 0 else ([], f"no atheris to be had: {tried.stderr.strip()[-200:]}")


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["toml", "csv"])
def test_atheris_finds_nothing_in_the_readers(reader: str, counts: Counts, tmp_path: Path) -> None:
    command, why = fuzz_command()
    if why:
        print(f"skipped: {why}")
        pytest.skip(why)
    done = subprocess.run(
        [*command, reader, str(ROOM_FOR_FUZZ), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=FUZZER.parents[2],
        timeout=20 * ROOM_FOR_FUZZ + 600,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    said = json.loads(done.stdout.strip().splitlines()[-1])
    assert said["inputs"] > 100, said
    counts.add(f"inputs tried by atheris, {reader}", said["inputs"])
    counts.add("seconds of atheris", said["seconds"])
