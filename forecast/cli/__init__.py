"""The command line: each command is one public function and its printing.

Data goes to stdout, progress and faults to stderr. Nothing but click is imported before a command runs
(``tests/test_public_api.py`` pins it), so that ``forecast --help`` is instant.
"""

from __future__ import annotations

import gc
import io
import sys
from typing import Any

import click

from forecast.cli.backtest import backtest
from forecast.cli.calc import calc
from forecast.cli.check import check
from forecast.cli.compare import compare
from forecast.cli.completion import completion
from forecast.cli.diff import diff
from forecast.cli.doctor import doctor
from forecast.cli.elicit import elicit
from forecast.cli.inspect import data, priors
from forecast.cli.jobs import fit, project, report, run, takeoff
from forecast.cli.quantiles import quantiles
from forecast.cli.research import forms, leap, organisations, speedup, watch
from forecast.cli.sbc import sbc
from forecast.cli.score import score
from forecast.cli.sensitivity import sensitivity
from forecast.cli.serve import serve
from forecast.cli.sweep import sweep
from forecast.errors import ForecastError, clear

INTERRUPTED = 130
FAULT = 1
USAGE = 2


SELDOM = 100_000  # new objects before Python looks for garbage: imports make many and keep them, which cost a twelfth


class Forecast(click.Group):
    """A group whose faults are one line each, ``error: ...``, with the exit code of their kind."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command and leave with its exit code."""
        extra["standalone_mode"] = False
        show_every_sign()
        gc.set_threshold(SELDOM, *gc.get_threshold()[1:])
        try:
            code = super().main(*args, **extra)
        except ForecastError as error:
            code = complain(str(error), error.exit_code)
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            code = USAGE
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx else "forecast"
            code = complain(f"{error.format_message()} Try '{path} --help'.", error.exit_code)
        except click.ClickException as error:
            code = complain(error.format_message(), error.exit_code)
        except click.Abort:
            code = complain("interrupted; nothing was written", INTERRUPTED)
        except MemoryError:
            code = complain("there is not enough memory: ask for fewer draws, or of another machine", FAULT)
        except OSError as error:  # a disk that is full, a path that is too long: what nobody nearer knew better
            place = error.filename or "standard output, or a file behind it"
            code = complain(f"{place}: {error.strerror or error}: make room for it, or choose another place", FAULT)
        sys.exit(code if isinstance(code, int) else 0)


def show_every_sign() -> None:
    """Let the terminal or pipe have what its encoding lacks, in ASCII or in names of files, as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def complain(message: str, code: int) -> int:
    """Print one ``error:`` line per fault and return the exit code."""
    for line in message.split("\n"):
        click.echo(f"error: {clear(line)}", err=True)
    return code


@click.group(cls=Forecast, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="forecast")
def main() -> None:
    """How many AIs can run once a capable one is trained, and how fast a take-off?

    Start with: forecast run. Exit codes: 0 ok, 1 fault, 2 usage or bad file, 3 convergence gate failed (results are
    written and marked), 4 data missing.

    Example: forecast run --as-of 2026-11-01
    """


for command in (
    run,
    fit,
    project,
    takeoff,
    quantiles,
    organisations,
    speedup,
    leap,
    forms,
    compare,
    diff,
    sensitivity,
    watch,
    backtest,
    score,
    sbc,
    sweep,
    report,
    serve,
    check,
    priors,
    data,
    calc,
    doctor,
    completion,
):
    main.add_command(command)
priors.add_command(elicit)
