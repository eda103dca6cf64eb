"""The page's server in a thread of its own, on a free port of this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from forecast.explorer.server import Server, Site, listening


@contextmanager
def served(site: Site) -> Iterator[Server]:
    """The site, shown until the end of the block."""
    with listening(0) as found:
        found.site = site
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            found.shutdown()
            thread.join()
