"""Coverage, skill and their uncertainty against sums by hand and repeated sampling."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.evaluation.backtest_words import backtest_sentences, skill_table, with_bands
from forecast.evaluation.skill import bootstrap, inside, skill


def scored(n: int = 40, seed: int = 1) -> pd.DataFrame:
    """Rows of two tables at two cuts; half of a rival's CRPS, one nat better."""
    rng = np.random.default_rng(seed)
    rival = rng.uniform(0.5, 2.0, n) * np.where(np.arange(n) % 2, 100.0, 1.0)
    return pd.DataFrame(
        {
            "cut": np.where(np.arange(n) < n // 2, "2022-01-01", "2024-01-01"),
            "table": np.where(np.arange(n) % 2, "hardware", "time_horizons"),
            "series": "one",
            "row": [f"row {i % (n // 2)}" for i in range(n)],
            "date": 2025.0,
            "horizon": np.linspace(0.1, 3.9, n),
            "units": "1",
            "observed": 0.0,
            "pit": (np.arange(n) + 0.5) / n,
            "crps": rival / 2.0,
            "log_score": -1.0,
            "last_crps": np.nan,
            "last_log_score": np.nan,
            "line_crps": rival,
            "line_log_score": -2.0,
        }
    )


def test_half_the_error_is_a_skill_of_a_half_whatever_the_units() -> None:
    found = skill(scored(), ["table"]).set_index("table")
    for name in ("all", "hardware", "time_horizons"):
        assert found.loc[name, "skill_line"] == pytest.approx(0.5)
        assert found.loc[name, "gain_line"] == pytest.approx(1.0)
        assert np.isnan(found.loc[name, "skill_last"])
    assert found.loc["all", ["n", "figures"]].tolist() == [40, 20], "a figure after two cuts is one figure"


def test_uniform_transforms_are_covered_at_every_mass() -> None:
    for mass in (0.5, 0.9):
        assert inside(scored()["pit"], mass) == pytest.approx(mass, abs=0.026)
    found = skill(scored(), ["table"])
    assert found["bias"].iloc[0] == pytest.approx(0.0)


def test_a_bootstrap_interval_is_that_of_repeated_sampling() -> None:
    """Mean of 50 pairs that stand together: standard error sqrt(2/100 sd^2), twice the variance of single rows."""
    rng = np.random.default_rng(3)
    pairs = np.repeat(rng.standard_normal(50), 2)
    low_high = bootstrap(
        np.stack([pairs, np.ones(100)]), np.repeat(np.arange(50), 2), lambda sums: sums[0] / sums[1], 1
    )
    assert low_high[0] == pytest.approx(pairs.mean())
    assert (low_high[2] - low_high[1]) / 3.29 == pytest.approx(pairs.std() / np.sqrt(50), rel=0.1)


def test_what_is_off_is_named() -> None:
    rows = scored()
    rows.loc[rows["table"] == "hardware", "pit"] = 0.99
    rows.loc[rows["table"] == "hardware", "crps"] *= 4.0
    said = " ".join(backtest_sentences(rows, vintage=False))
    assert "hardware (0% of 20)" in said
    assert "No better than the straight line: hardware (-1.00)" in said
    assert "Today's priors know the past" in said
    assert "Today's priors" not in " ".join(backtest_sentences(rows, vintage=True))


def test_bands_are_years_after_the_cut() -> None:
    table = skill_table(scored(), "horizon_band")
    assert table["Years ahead"].tolist() == ["all", "1 to 2", "2 to 3", "over 3", "under 1"]
    assert table["Predictions"].sum() == 2 * 40
    assert with_bands(scored())["horizon_band"].tolist()[:1] == ["under 1"]
