"""Figures of rows side by side draw what they are given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes

from forecast.comparison_plots import plot_intervals, save_figure
from forecast.errors import InputError
from forecast.headlines import Estimate


def drawn(*values: Estimate, log: bool = False) -> Axes:
    return plot_intervals([f"row {i}" for i in range(len(values))], values, "units", log)


def test_a_dot_stands_at_the_median_on_a_line_over_the_interval() -> None:
    line, dot = drawn(Estimate(1.0, 2.0, 4.0, 0.9)).get_lines()
    assert line.get_xdata() == pytest.approx([1.0, 4.0])
    assert dot.get_xdata() == pytest.approx([2.0])


def test_an_end_that_never_comes_is_an_arrow_beyond_everything_finite() -> None:
    ax = drawn(Estimate(2028.0, 2031.0, 2043.0, 0.9), Estimate(2030.0, np.inf, np.inf, 0.9))
    arrows = [line for line in ax.get_lines() if line.get_marker() == ">"]
    assert len(arrows) == 1
    assert arrows[0].get_xdata()[0] > 2043.0


def test_rows_read_from_the_top() -> None:
    ax = drawn(Estimate(1.0, 2.0, 3.0, 0.9), Estimate(1.0, 2.0, 3.0, 0.9))
    assert ax.get_ylim()[0] > ax.get_ylim()[1]


def test_what_is_unknown_has_no_mark() -> None:
    assert len(drawn(Estimate(np.nan, np.nan, np.nan, 0.9), Estimate(1.0, 2.0, 3.0, 0.9)).get_lines()) == 2


def test_a_log_axis_takes_only_what_is_positive() -> None:
    ax = drawn(Estimate(1e-3, 1.0, 1e3, 0.9), log=True)
    assert ax.get_xscale() == "log"


def test_labels_and_values_must_match() -> None:
    with pytest.raises(InputError, match="2 labels for 1 intervals"):
        plot_intervals(["a", "b"], [Estimate(1.0, 2.0, 3.0, 0.9)])


@pytest.mark.parametrize("name", ["figure", "figure.exe", "figure.svg.zip"])
def test_a_figure_has_a_name_that_says_what_it_is(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="end its name with"):
        save_figure(drawn(Estimate(1.0, 2.0, 3.0, 0.9)), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_figure_is_written_where_it_should(tmp_path: Path) -> None:
    path = save_figure(drawn(Estimate(1.0, 2.0, 3.0, 0.9)), tmp_path / "new" / "figure.png")
    assert path.read_bytes().startswith(b"\x89PNG")
