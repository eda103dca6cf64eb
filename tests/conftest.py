"""Fixtures that several rooms share."""

from __future__ import annotations

import pytest
import xarray as xr
from synthetic import readout_draws, yearly_draws


@pytest.fixture(scope="session")
def yearly() -> xr.Dataset:
    return yearly_draws()


@pytest.fixture(scope="session")
def readouts() -> xr.Dataset:
    return readout_draws()
