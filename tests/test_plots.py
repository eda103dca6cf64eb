"""Figures are read back from the Axes: what is drawn, what is written on it, and what it leaves alone."""

from __future__ import annotations

import sys

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from forecast.errors import InputError
from forecast.plots import (
    INK,
    PALETTE,
    plot_exceedance,
    plot_fan,
    plot_prior_posterior,
    plot_tail,
    plot_takeoff_lengths,
)


def labels(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def test_a_fan_shows_the_medians_and_both_intervals(yearly: xr.Dataset) -> None:
    data = yearly.log10_parallel_streams
    ax = plot_fan(data)
    expected = 10.0 ** np.median(data.sel(scenario="baseline").values.reshape(-1, data.sizes["year"]), axis=0)
    assert ax.lines[0].get_ydata() == pytest.approx(expected)
    assert labels(ax) == ["90% interval", "50% interval", "median", "median, software only"]
    outer = next(item for item in ax.collections if isinstance(item, FillBetweenPolyCollection))
    low = 10.0 ** np.quantile(data.sel(scenario="baseline", year=2027).values, 0.05)
    assert np.asarray(outer.get_paths()[0].vertices)[:, 1].min() == pytest.approx(low)


def test_a_log_axis_speaks_in_words(yearly: xr.Dataset) -> None:
    ax = plot_fan(yearly.log10_parallel_streams)
    ax.get_figure().draw_without_rendering()  # type: ignore[union-attr]
    assert ax.get_yscale() == "log"
    assert "1 million" in [text.get_text() for text in ax.get_yticklabels()]
    assert plot_fan(yearly.automated_share).get_yscale() == "linear"


def test_exceedance_is_a_falling_set_of_lines(yearly: xr.Dataset) -> None:
    data = yearly.log10_parallel_streams
    ax = plot_exceedance(data, [6, 8, 10])
    assert labels(ax) == ["> 1 million", "> 100 million", "> 10 billion"]
    counted = (data.sel(scenario="baseline").values > 8).mean(axis=(0, 1))
    assert ax.lines[1].get_ydata() == pytest.approx(counted)


def test_draws_that_never_arrive_have_a_bar_of_their_own(readouts: xr.Dataset) -> None:
    ax = plot_takeoff_lengths(readouts, end=2045)
    widths = [bar.get_width() for bar in ax.patches]  # type: ignore[attr-defined]
    assert sum(widths) == pytest.approx(1.0)
    assert widths[-1] == float(np.isinf(readouts.takeoff_years.sel(scenario="baseline")).mean())
    assert [text.get_text() for text in ax.get_yticklabels()][-1] == "not by 2045"
    assert ax.patches[-1].get_facecolor() != ax.patches[0].get_facecolor()


def test_a_tail_counts_at_least_over_all_draws(readouts: xr.Dataset) -> None:
    ax = plot_tail(readouts.first_year_gain, [0.0, 1.0, 2.0], "OOM")
    gain = readouts.first_year_gain.sel(scenario="baseline").values
    assert np.asarray(ax.lines[0].get_ydata())[1] == np.count_nonzero(gain >= 1.0) / gain.size
    assert labels(ax) == ["baseline", "software only"]


def test_prior_and_posterior_have_equal_areas() -> None:
    rng = np.random.default_rng(0)
    prior, posterior = (xr.DataArray(rng.normal(0, sd, (4, 500)), dims=("chain", "draw")) for sd in (1.0, 0.2))
    ax = plot_prior_posterior(prior, posterior, "compute_share")
    areas = [float(np.sum(data.values * np.diff(data.edges))) for data in (patch.get_data() for patch in ax.patches)]  # type: ignore[attr-defined]
    assert areas == pytest.approx([1.0, 1.0], abs=0.02)
    assert ax.get_xlabel() == "compute_share"


def test_a_wide_positive_parameter_has_a_log_axis_and_a_prior_may_stand_alone() -> None:
    wide = xr.DataArray(np.random.default_rng(1).lognormal(10, 3, 1000), dims="draw")
    assert plot_prior_posterior(wide, None, "required_horizon_minutes").get_xscale() == "log"
    fixed = xr.DataArray(np.full(10, 20.0), dims="draw")
    assert len(plot_prior_posterior(fixed, None, "fixed").patches) == 1
    with pytest.raises(InputError, match="not finite"):
        plot_prior_posterior(wide * np.inf, None, "broken")


def test_axes_that_are_given_are_used(yearly: xr.Dataset) -> None:
    mine = Figure().subplots()
    assert plot_fan(yearly.log10_parallel_streams, ax=mine) is mine


def test_no_global_state_is_touched(yearly: xr.Dataset, readouts: xr.Dataset) -> None:
    def state() -> tuple[dict[str, object], list[int]]:
        pyplot = sys.modules.get("matplotlib.pyplot")  # other tests may have it, with figures of their own
        return dict(mpl.rcParams), pyplot.get_fignums() if pyplot else []

    before = state()
    plot_fan(yearly.log10_human_equivalents)
    plot_takeoff_lengths(readouts)
    assert state() == before


@pytest.mark.parametrize("background", ["#ffffff", "#14171a"])
@pytest.mark.parametrize("colour", [INK, *PALETTE])
def test_colours_stand_out_in_light_and_in_dark(colour: str, background: str) -> None:
    """WCAG 2 contrast ratio of graphics: at least 3."""

    def luminance(name: str) -> float:
        channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(name)]
        return float(np.dot(channels, [0.2126, 0.7152, 0.0722]))

    light, dark = sorted((luminance(colour), luminance(background)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3.0
