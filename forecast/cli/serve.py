"""The command `serve`: a run as a page with sliders."""

from __future__ import annotations

import click

from forecast.cli import printing
from forecast.cli.options import QUIET, RUN

PORT = 8765


@click.command()
@RUN
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0 takes any that is free."
)
@click.option("--open", "open_browser", is_flag=True, help="Open the page in the browser.")
@QUIET
def serve(run_file: str, port: int, open_browser: bool, quiet: bool) -> None:
    """Show a run as a page with sliders, on this machine only, until Ctrl-C.

    Example: forecast serve forecast-out/run.nc --port 0 --open
    """
    from forecast.explorer.server import serve as show
    from forecast.runs import load_draws

    tree = load_draws(run_file)
    printing.speaker(quiet)("making the run ready and compiling the take-off, which takes some seconds")
    show(tree, port, open_browser=open_browser, say=lambda line: click.echo(line))
