"""A page of 300 draws of the prior, made ready once, and a server that shows it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import xarray as xr

from forecast.explorer import Explorer, explorer
from forecast.explorer.server import Server, Site, listening, site


@pytest.fixture(scope="session")
def page(prior_run: xr.DataTree) -> Explorer:
    return explorer(prior_run)


@pytest.fixture(scope="session")
def shown(page: Explorer) -> Site:
    return site(page)


@pytest.fixture(scope="session")
def server(shown: Site) -> Iterator[Server]:
    """The page on a free port of this machine, in a thread of its own."""
    with listening(0) as found:
        found.site = shown
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield found
        found.shutdown()
        thread.join()
