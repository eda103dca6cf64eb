"""Draws of the prior as the integrator takes them."""

from __future__ import annotations

from typing import Any

import pytest
import xarray as xr

from forecast.side_draws import parameters_with


@pytest.fixture(scope="session")
def p(prior_run: xr.DataTree) -> dict[str, Any]:
    return parameters_with(prior_run, "hardware_leap") | {"leap_factor": 100.0}
