"""Figures of what drives the answer draw what they are given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.driver_plots import plot_effects, plot_tornado
from forecast.drivers.sensitivity import OTHERS, UNEXPLAINED, Sensitivity
from forecast.errors import InputError


def synthetic(high: float = 9.0, output: str = "takeoff_years") -> Sensitivity:
    effects = pd.DataFrame(
        {
            "output": output,
            "input": ["automation_gap", "returns", OTHERS, UNEXPLAINED],
            "share": [0.6, 0.2, 0.15, 0.05],
            "low": [0.5, 0.1, 0.1, 0.0],
            "high": [0.7, 0.3, 0.2, 0.1],
        }
    )
    swing = pd.DataFrame(
        {
            "output": output,
            "input": ["returns", "automation_gap"],
            "input_low": [0.5, 2.0],
            "input_high": [1.5, 7.0],
            "low": [6.0, 2.0],
            "high": [5.0, high],
            "base": [5.5, 5.5],
        }
    )
    blank = pd.DataFrame()
    return Sensitivity(blank, effects.rename(columns={"input": "block"}), effects, blank, swing, blank)


def test_a_bar_is_as_long_as_its_share_with_its_interval_on_it() -> None:
    ax = plot_effects(synthetic(), "takeoff_years")
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([0.6, 0.2, 0.15, 0.05])
    (lines,) = ax.collections
    ends = [segment[:, 0].tolist() for segment in lines.get_segments()]
    assert ends == [[0.5, 0.7], [0.1, 0.3], [0.1, 0.2], [0.0, 0.1]]


def test_rows_read_from_the_top_and_name_inputs_in_words() -> None:
    ax = plot_effects(synthetic(), "takeoff_years", "block")
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    assert ax.get_yticklabels()[0].get_text() == "automation gap"


def test_a_tornado_has_its_widest_bar_on_top_and_its_bars_begin_at_the_base() -> None:
    ax = plot_tornado(synthetic(), "takeoff_years")
    assert [text.get_text() for text in ax.get_yticklabels()] == ["automation gap", "returns"]
    ends = {round(bar.get_x() + bar.get_width(), 6) for bar in ax.patches}
    assert ends == {2.0, 9.0, 6.0, 5.0}
    assert {round(bar.get_x(), 6) for bar in ax.patches} == {5.5}


def test_an_end_that_never_comes_is_an_arrow_beyond_everything_finite() -> None:
    ax = plot_tornado(synthetic(np.inf), "takeoff_years")
    (arrow,) = [line for line in ax.get_lines() if line.get_marker() == ">"]
    assert arrow.get_xdata()[0] > 6.0


def test_an_end_without_any_ais_is_an_arrow_on_the_other_side() -> None:
    ax = plot_tornado(synthetic(-np.inf, "log10_streams_at_automation"), "log10_streams_at_automation")
    (arrow,) = [line for line in ax.get_lines() if line.get_marker() == "<"]
    assert arrow.get_xdata()[0] < 2.0


def test_a_log10_output_is_labelled_as_a_count() -> None:
    ax = plot_tornado(synthetic(9.0, "log10_parallel_streams@2031"), "log10_parallel_streams@2031")
    ax.figure.canvas.draw()
    labels = [text.get_text() for text in ax.get_xticklabels()]
    assert any(label.endswith(("million", "billion")) or label.isdigit() or "," in label for label in labels)
    assert ax.get_xlabel() == "median, streams"


def test_an_output_that_was_not_analysed_is_refused_with_those_that_were() -> None:
    with pytest.raises(InputError, match="it has takeoff_years"):
        plot_effects(synthetic(), "year_100")
    never = synthetic().tornado.assign(low=np.inf, high=np.inf, base=np.inf)
    with pytest.raises(InputError, match="nothing here lies within the window"):
        plot_tornado(replace(synthetic(), tornado=never), "takeoff_years")
