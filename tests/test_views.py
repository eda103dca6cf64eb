"""A view on a fitted run: exact where it can be checked by hand, and honest about how far it lies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from forecast.errors import InputError
from forecast.runs import parameters_of, read_provenance
from forecast.statements import fixed, interval, stated
from forecast.views import apply_view, conditioned, constrained, distance, unconstrained

NORMAL = stated("Normal", {"params": {"mu": 0.0, "sigma": 1.0}})
VIEW = """
[overlay]
description = "Slow software."
references = ["me"]

[priors.software_doubling_months]
distribution = "LogNormal"
interval = [24.0, 48.0]
units = "months"
source = ["me"]

[sources.me]
cite = "A test"
locator = "here"
"""


@pytest.fixture
def view(tmp_path: Path) -> Path:
    path = tmp_path / "slow.toml"
    path.write_text(VIEW, encoding="utf-8")
    return path


def gaussian(correlation: float, size: int = 4000) -> dict[str, np.ndarray]:
    """Two standard normal parameters with exactly this correlation in the sample."""
    x, y = np.random.default_rng(3).standard_normal((2, size))
    x = (x - x.mean()) / x.std()
    y = y - x * (x @ y) / (x @ x)
    y = (y - y.mean()) / y.std()
    return {"stream_variate": x, "layers_variate": correlation * x + np.sqrt(1 - correlation**2) * y}


PRIORS = {"stream_variate": NORMAL, "layers_variate": NORMAL}


@pytest.mark.parametrize("correlation", [-0.8, 0.3, 0.95])
def test_a_gaussian_posterior_is_conditioned_exactly(correlation: float) -> None:
    """x fixed at 2: y given x is N(2 rho, 1 - rho^2)."""
    new = conditioned(gaussian(correlation), {"stream_variate": fixed(2.0)}, PRIORS, 2026.8)
    assert np.all(new["stream_variate"] == 2.0)
    assert new["layers_variate"].mean() == pytest.approx(2.0 * correlation, abs=1e-9)
    assert new["layers_variate"].std() == pytest.approx(np.sqrt(1.0 - correlation**2), rel=1e-9)


def test_a_wider_view_widens_what_depends_on_it() -> None:
    """x ~ N(1, 2): y has mean rho and variance 1 - rho^2 + 4 rho^2."""
    wide = stated("Normal", {"params": {"mu": 1.0, "sigma": 2.0}})
    new = conditioned(gaussian(0.6), {"stream_variate": wide}, PRIORS, 2026.8)
    assert new["layers_variate"].mean() == pytest.approx(0.6, abs=0.01)
    assert new["layers_variate"].var() == pytest.approx(1.0 - 0.36 + 4.0 * 0.36, rel=0.02)


def test_what_is_independent_of_the_view_stays_bit_for_bit() -> None:
    p = gaussian(0.0)
    assert list(conditioned(p, {"stream_variate": fixed(5.0)}, PRIORS, 2026.8)) == ["stream_variate"]


@pytest.mark.parametrize("ends", [(-np.inf, np.inf), (0.0, np.inf), (0.0, 1.0), (-np.inf, 3.0), (2.0, 8.0)])
def test_scales_are_undone_exactly(ends: tuple[float, float]) -> None:
    low, high = np.clip(ends, -50.0, 50.0)
    values = np.linspace(low, high, 12)[1:-1]
    np.testing.assert_allclose(constrained(unconstrained(values, ends), ends), values, rtol=1e-12)


def test_a_view_takes_over_its_parameter_and_keeps_the_ranks(prior_run: xr.DataTree, view: Path) -> None:
    old, new = (parameters_of(one)["software_doubling_months"] for one in (prior_run, apply_view(prior_run, view)))
    np.testing.assert_array_equal(np.argsort(old), np.argsort(new))
    np.testing.assert_allclose(np.quantile(new, [0.05, 0.95]), [24.0, 48.0], rtol=0.03)


def test_the_run_that_was_given_is_left_alone(prior_run: xr.DataTree, view: Path) -> None:
    before = parameters_of(prior_run)["software_doubling_months"].copy()
    seen = apply_view(prior_run, view)
    np.testing.assert_array_equal(parameters_of(prior_run)["software_doubling_months"], before)
    assert "views" not in read_provenance(prior_run)
    assert read_provenance(seen)["views"] == ["slow"]
    assert read_provenance(seen)["digests"]["fit"] != read_provenance(prior_run)["digests"]["fit"]


def test_the_horizon_regression_stays_on_its_data(prior_run: xr.DataTree, view: Path) -> None:
    """The centre of effective compute moves with the view, so that the horizon at the data's dates does not."""
    old, new = (parameters_of(one)["effective_flop_centre"] for one in (prior_run, apply_view(prior_run, view)))
    assert not np.allclose(old, new)


def test_only_some_parameters_of_a_view(prior_run: xr.DataTree, view: Path) -> None:
    with pytest.raises(InputError, match="the view states no returns: it states software_doubling_months"):
        apply_view(prior_run, view, only=["returns"])
    nothing = apply_view(prior_run, view, only=[])
    np.testing.assert_allclose(
        parameters_of(nothing)["software_doubling_months"], parameters_of(prior_run)["software_doubling_months"]
    )


def test_distance_is_in_posterior_standard_deviations(prior_run: xr.DataTree, view: Path) -> None:
    x = np.log(parameters_of(prior_run)["software_doubling_months"])
    middle = 0.5 * (np.log(24.0) + np.log(48.0))
    assert distance(prior_run, view)["software_doubling_months"] == pytest.approx((middle - np.median(x)) / x.std())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ('description = "Slow software."', 'description = "Slow software."\nextends = "slow"'),
    ],
)
def test_a_circle_of_views_is_refused(prior_run: xr.DataTree, view: Path, change: str, said: str) -> None:
    view.write_text(VIEW.replace(change, said), encoding="utf-8")
    with pytest.raises(InputError, match=r"overlay.extends: goes round in a circle \(slow -> slow\): drop one"):
        apply_view(prior_run, view)


def test_a_longer_circle_names_every_file(prior_run: xr.DataTree, view: Path) -> None:
    for name, parent in (("a", "b"), ("b", "a")):
        text = VIEW.replace("[overlay]", f'[overlay]\nextends = "{parent}"')
        (view.parent / f"{name}.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"a -> b -> a"):
        apply_view(prior_run, view.parent / "a.toml")


@pytest.mark.parametrize("parent", ["../../x", "/etc/passwd", "nobody"])
def test_a_view_extends_only_what_lies_beside_it_or_is_shipped(prior_run: xr.DataTree, view: Path, parent: str) -> None:
    view.write_text(VIEW.replace("[overlay]", f'[overlay]\nextends = "{parent}"'), encoding="utf-8")
    with pytest.raises(InputError, match=r"slow.toml:3: overlay.extends: no view named"):
        apply_view(prior_run, view)


def test_a_view_that_extends_another_has_the_last_word(prior_run: xr.DataTree, view: Path) -> None:
    child = view.parent / "child.toml"
    child.write_text(VIEW.replace("[overlay]", '[overlay]\nextends = "slow"').replace("[24.0, 48.0]", "[1.0, 2.0]"))
    months = parameters_of(apply_view(prior_run, child))["software_doubling_months"]
    assert 1.2 < np.median(months) < 1.6


def test_a_view_of_a_parameter_that_does_not_exist(prior_run: xr.DataTree, view: Path) -> None:
    view.write_text(VIEW.replace("software_doubling_months", "software_doubling_month"), encoding="utf-8")
    with pytest.raises(InputError, match=r"replaces nothing; did you mean 'software_doubling_months'"):
        apply_view(prior_run, view)


@pytest.mark.parametrize(("name", "said"), [("hardware_leap", "sets hardware_leap_factor"), ("baseline", "states no")])
def test_a_scenario_is_no_view(prior_run: xr.DataTree, name: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        apply_view(prior_run, name)


def test_intervals_are_those_stated() -> None:
    assert interval("Normal", -1.0, 1.0).quantile(0.95) == pytest.approx(1.0)
