"""``forecast calc``: the figures that the project's source documents print come out, with units, defaults and sources."""

from __future__ import annotations

import inspect
import json
import shlex
from functools import reduce
from typing import Any

import pytest
from click.testing import CliRunner, Result

from forecast import equations
from forecast.cli import main
from forecast.cli.calc_commands import inputs_of, read, stated
from forecast.cli.calculations import CALCULATIONS
from forecast.priors import load_priors
from forecast.units import parsed_unit


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["calc", *arguments])


def answers(*arguments: str) -> dict[str, float]:
    """What a sub-command answers, by name of the result."""
    done = call(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return {one["name"]: one["value"] for one in json.loads(done.stdout)["results"]}


def first(*arguments: str) -> float:
    return next(iter(answers(*arguments).values()))


SOURCES_PRINT: list[tuple[str, float, float]] = [  # arguments; the figure printed; half of its last digit, relative
    # Finnveden 2023, "More expensive AI": 200 million, ~2 billion, ~1 trillion (an hour is left open there)
    ("tokens-per-second --params 1e14 --training-time 3e7s", 2e8, 1e-12),
    ("tokens-per-second --params 1e14 --training-time 1y", 2e8, 0.06),
    ("tokens-per-second --params 1e15 --training-time 1y", 2e9, 0.06),
    ("tokens-per-second --params 1e14 --training-time 3months --tokens-per-datapoint 1h", 1e12, 9.0),
    # "A rough lower bound": 1.1e13 parameters, 23 million, which is 22.4 million unrounded
    ("params --flop-per-second 1e21FLOP/s --training-time 3e7s --flop-per-param-token 4", 1.1e13, 0.05),
    ("world-tokens-per-second", 2.24e7, 0.003),
    # "Serial vs parallel": ~500,000 streams; 1400 tokens/s, 29 ms = 34 tokens/s; 2x layers for 100x; cube root; sqrt 2
    ('parallel-streams --tokens-per-second 23million --stream-speed 50', 5e5, 0.1),
    ("parallel-streams", 4.5e5, 1e-12),
    ("stream-speed", 1400.0, 1e-12),
    ("layers --params 7e12", 160.0, 1e-12),
    ("width-slowdown --width 2x --chips 4x", 2.0**0.5, 1e-12),
    # its footnote 2: "14-15 months"
    ("longest-training-run", 14.5, 0.5 / 14.5),
    # Chinchilla, 70 billion on 1.4 trillion tokens
    ("training-flop --params 70B", 5.88e23, 1e-12),
    # Nesov 2025: $500M run, "$7bn" system ("$4-5bn" and "$1-3bn"); $40-45bn, "about $3bn"; $10bn to $1 trillion
    ("training-system --run-cost $500M", 7e9, 0.08),
    ("training-system --system-cost $45bn", 3e9, 1e-12),
    ("leap", 100.0, 1e-12),
    # the 30x discussion: 6 months in 6 days; 5 papers of 30 days; 4 projects 8x faster; a day for 4 copies' week
    ("paper-time --speedup 30x", 6.0, 0.05),
    ("parallel-projects", 30.0, 0.05),
    ("parallel-projects --projects 4 --faster-each 8x", 32.0, 1e-12),
    ("copies", 20.0, 1e-12),
    # SlowCorp: 625K H100s per researcher; AutomatedCorp: 200 thousand of its years' 10 million for each of 50
    ("compute-per-researcher", 625e3, 1e-12),
    ("compute-per-researcher --h100 10million --staff 50", 200e3, 1e-12),
]  # fmt: skip


@pytest.mark.parametrize(("command", "value", "within"), SOURCES_PRINT)
def test_the_figures_of_the_sources_come_out(command: str, value: float, within: float) -> None:
    assert first(*command.split()) == pytest.approx(value, rel=within)


def test_one_world_model_gives_all_three_of_its_figures() -> None:
    found = answers("world-tokens-per-second")
    assert found["parameters"] == pytest.approx(1.118e13, rel=1e-4)
    assert found["parallel streams"] == pytest.approx(4.5e5, rel=0.01)
    assert found["parameters"] * 4.0 * found["tokens per second"] == pytest.approx(1e21)


def test_a_faster_stream_costs_utilization_squared() -> None:
    """Steinhardt: reducing utilization by a factor gets its square."""
    half = answers("stream-speed", "--utilization", "20%")
    assert half["Steinhardt 2022"] == pytest.approx(4 * 1400.0)
    assert answers("stream-speed", "--layers", "118")["Pope et al. 2022"] == pytest.approx(1 / 0.029)


def test_training_and_serving_agree() -> None:
    """A run of p parameters in N seconds uses 3kmp^2/N FLOP/s, which serve 3mp/N tokens per second at kp FLOP each."""
    run = answers("training-flop", "--params", "1e14", "--training-time", "1y", "--flop-per-param-token", "4")
    served = first("tokens-per-second", "--params", "1e14", "--training-time", "1y")
    assert run["compute while it trains"] / (4 * 1e14) == pytest.approx(served)
    assert run["training tokens"] == pytest.approx(20 * 1e14)
    back = first("params", "--training-flop", f"{run['training compute']!r}", "--flop-per-param-token", "4")
    assert back == pytest.approx(1e14)


def test_a_person_is_outpaced_by_what_the_tokens_say() -> None:
    """50 tokens/s all year, against 1.15e8 tokens of a researcher's year."""
    assert first("serial-speed") == pytest.approx(50 * 31_557_600 / 1.15e8, rel=1e-9)
    assert first("human-equivalents", "--tokens-per-second", "50") == pytest.approx(first("serial-speed"))


def test_an_hour_of_latency_bounds_the_speed_up() -> None:
    """1000 hours of work, 100 instructions of one working hour, 4 projects at no cost of switching: 40x."""
    found = first("latency-bound", "--parallel-projects", "4", "--switching-cost", "1e-12")
    assert found == pytest.approx(40.0, rel=1e-9)
    assert first("ideas-bound", "--idea-share", "25%") == 4.0


def test_doubling_in_nine_months_is_said_in_every_unit() -> None:
    found = answers("growth", "--doubling-time", "9 months")
    assert found["factor per year"] == pytest.approx(2.0 ** (12 / 9))


def test_the_answer_stands_first_with_its_unit_formula_inputs_and_source() -> None:
    lines = call("tokens-per-second", "--params", "1e14", "--training-time", "3e7s").stdout.splitlines()
    assert lines[0] == "tokens per second on the training cluster: 200 million tokens/s"
    assert "3 m p H / N x u" in lines
    text = "\n".join(lines)
    assert "20 tokens/param" in text and "default: Hoffmann et al. 2022" in text
    assert "3e7s = 30 million s" in text and "given" in text
    assert "forecast.equations.tokens_per_second_after_training" in text
    assert "Finnveden 2023, Before smart AI" in text


def test_a_default_from_a_prior_says_which() -> None:
    done = call("human-equivalents")
    assert "115 million tokens/yr" in done.stdout
    assert "forecast priors show tokens_per_researcher_year" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("tokens-per-second", "--params", "1e14"), ["--training-time"]),
        (
            ("tokens-per-second", "--params", "1e14", "--training-time", "1e25FLOP"),
            ["--training-time", "a time is wanted"],
        ),
        (("training-flop", "--params", "70m"), ["--params", "million"]),
        (("training-flop", "--params", "-70B"), ["not above 0"]),
        (("world-tokens-per-second", "--share", "120%"), ["more than 100%"]),
        (("params", "--flop-per-second", "1e21"), ["--training-flop, or both"]),
        (("training-system", "--run-cost", "$1bn", "--system-cost", "$15bn"), ["exclude each other"]),
        (("telepathy",), ["No such command"]),
    ],
)
def test_what_cannot_be_computed_is_said_in_one_line(arguments: tuple[str, ...], said: list[str]) -> None:
    done = call(*arguments)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ") and len(done.stderr.splitlines()) == 1
    for words in said:
        assert words in done.stderr


def test_what_is_stated_is_what_is_computed() -> None:
    whole, priors = stated(), load_priors()
    assert set(whole["calculations"]) == set(CALCULATIONS)
    used = {key for name in CALCULATIONS for key, _, _ in inputs_of(name)}
    assert used == set(whole["inputs"])
    for entry in (*whole["inputs"].values(), *whole["calculations"].values()):
        assert entry.get("source", "finnveden2023") in whole["sources"]
    for entry in whole["inputs"].values():
        assert parsed_unit(entry["unit"]) is not None
        assert "default" not in entry or read(entry["default"], entry) > 0.0
        assert entry.get("prior", "returns") in priors


def test_every_equation_named_exists_and_has_the_default_that_is_printed() -> None:
    def found(path: str) -> Any:
        return reduce(getattr, path.split("."), __import__("forecast.equations.hardware_leap").equations)

    for name, entry in stated()["calculations"].items():
        own = {key: read(one["default"], one) for key, one, _ in inputs_of(name) if "default" in one}
        for path in entry["equation"]:
            for key, parameter in inspect.signature(found(path)).parameters.items():
                if (
                    parameter.default is not inspect.Parameter.empty
                    and key in own
                    and key not in entry.get("defaults", {})
                ):
                    assert parameter.default == own[key], (name, path, key)
    assert equations.training_flop is found("training_flop")


def test_every_example_runs() -> None:
    for name, entry in stated()["calculations"].items():
        assert answers(name, *shlex.split(entry["example"])), name
