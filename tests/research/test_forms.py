"""The table of rival forms and the sentence on structure and parameters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from forecast.dynamics.mixture import form_weights, mixture
from forecast.research.forms import COLUMNS, all_forms, forms_table, mixture_sentence


@pytest.fixture(scope="module")
def comparison(prior_run: xr.DataTree) -> xr.Dataset:
    return all_forms(prior_run)


@pytest.fixture(scope="module")
def table(comparison: xr.Dataset, prior_run: xr.DataTree) -> pd.DataFrame:
    return forms_table(comparison, mixture(comparison, form_weights(prior_run))).set_index("form")


def test_the_table_has_a_row_per_form_and_the_mixture_last(table: pd.DataFrame, comparison: xr.Dataset) -> None:
    assert list(table.index) == [*comparison.coords["form"].values, "mixture"]
    assert ["form", *table.columns] == list(COLUMNS)


def test_the_table_repeats_the_draws(table: pd.DataFrame, comparison: xr.Dataset) -> None:
    for form in comparison.coords["form"].values:
        one = comparison.sel(form=form)
        assert table.loc[form, "best_year_gain_q50"] == pytest.approx(float(one["best_year_gain"].median()))
        assert table.loc[form, "best_year_3_human_years"] == pytest.approx(float(one["best_year_3_human_years"].mean()))
        assert table.loc[form, "best_year_gain_q05"] <= table.loc[form, "best_year_gain_q95"]


def test_a_length_stands_only_where_the_form_has_one(table: pd.DataFrame) -> None:
    given = table.index[table["takeoff_years_q50"].notna()]
    assert list(given) == ["section5", "section5_superexponential", "kwa2026", "kwa2026 as published"]


def test_every_form_speaks_in_its_own_terms(table: pd.DataFrame) -> None:
    words = table["own_definition"]
    assert "8 doublings" in words["davidson_houlden2025 as published"]
    assert "141 days" in words["ai2027"] and "ceiling" in words["ai2027"]
    assert "ceiling" not in words["ai2027 as published"]
    assert "99%" in words["kwa2026"]
    assert "this model 30%" in words["mixture"]
    assert not words.str.contains("nan|inf").any()


def test_the_sentence_says_what_is_structure() -> None:
    levels = [0.05, 0.5, 0.95]
    mixed = xr.Dataset(
        {
            "best_year_gain": ("quantile", [0.2, 1.0, 16.0]),
            "weight": ("form", [0.75, 0.25]),
            "best_year_gain_structure_share": 0.8,
            "best_year_gain_structure_share_of_ranks": 0.3,
        },
        coords={"quantile": levels, "form": ["section5", "ai2027"]},
    )
    said = mixture_sentence(mixed)
    assert said.startswith("Over a mixture of forms (this model 75%; AI 2027 25%), the best 12 months bring 1 OOM")
    assert "0.2 to 16" in said and "80% of the variance is structure" in said and "30% and 70%" in said


def test_the_mixture_lies_within_its_forms(table: pd.DataFrame) -> None:
    rows = table.loc[["section5", "davidson_houlden2025", "ai2027", "kwa2026"]]
    for name in ("best_year_gain_q50", "best_year_10_human_years"):
        assert rows[name].min() <= table.loc["mixture", name] <= rows[name].max()
    assert np.isnan(table.loc["mixture", "takeoff_years_q50"])
