"""A server that shows the page of 300 draws of the prior."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from serving import served

from forecast.explorer import Explorer
from forecast.explorer.server import Server, Site, site


@pytest.fixture(scope="session")
def shown(page: Explorer) -> Site:
    return site(page)


@pytest.fixture(scope="session")
def server(shown: Site) -> Iterator[Server]:
    """The page on a free port of this machine, in a thread of its own."""
    with served(shown) as found:
        yield found
