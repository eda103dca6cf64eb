"""A run file explains itself: priors as stated, sources in words, tables row by row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from forecast import schema
from forecast.fitting import sample_prior
from forecast.observations import load_observations
from forecast.priors import Source, interval, load_priors
from forecast.records import cited, described, explained, parameter_frame, statement, tables_of
from forecast.reporting.content import PARAMETER_COLUMNS
from forecast.runs import load_run, save_run
from forecast.statements import fixed, stated


def test_a_statement_is_what_its_author_wrote() -> None:
    assert (
        statement(interval("LogNormal", 2.0, 100.0, mass=0.8, lower=1.1))
        == "LogNormal, 80% interval 2 to 100, never below 1.1"
    )
    assert statement(fixed(4.0)) == "fixed at 4"
    assert statement(stated("HalfNormal", {"upper": 2.0, "mass": 0.95})) == "HalfNormal, 95% below 2"
    quantiles = stated("Normal", {"quantiles": {"0.1": 1.0, "0.9": 3.0}})
    assert statement(quantiles) == "Normal, quantiles 10%: 1, 90%: 3"
    assert statement(stated("Dirichlet", {"params": {"a": [1.0, 2.0]}})) == "Dirichlet(a=[1, 2])"


def test_a_source_is_its_citation_and_place() -> None:
    sources = {"a2020": Source("A 2020, Title", "table 3")}
    assert cited("a2020", sources) == "A 2020, Title, table 3"
    assert cited("judgement", sources) == "judgement"


@pytest.mark.parametrize("kind", ["prior", "posterior"])
def test_every_parameter_has_a_row_and_a_vector_one_per_element(kind: str) -> None:
    priors, data = load_priors(), load_observations()
    run = described(sample_prior(priors, data, draws=50), priors, data, kind=kind)
    frame = parameter_frame(run).set_index("name")
    names = {name for block in schema.PARAMETERS.values() for name in block}
    vectors = {"loss_shares", "depth_family_variate"}
    assert names - vectors <= set(frame.index)
    assert [name for name in frame.index if name.startswith("loss_shares")] == [
        "loss_shares (irreducible)",
        "loss_shares (params)",
        "loss_shares (tokens)",
    ]
    assert not any(name.startswith("depth_family_variate") for name in frame.index)
    assert set(PARAMETER_COLUMNS) - {"name"} <= set(frame.columns)
    if kind == "prior":
        assert frame["posterior_q50"].isna().all()
        return
    draws = run["posterior"]["returns"].values.ravel()
    assert frame.loc["returns", "posterior_q95"] == pytest.approx(np.quantile(draws, 0.95))
    shares = run["posterior"]["loss_shares"].values.reshape(-1, 3)
    assert frame.loc["loss_shares (tokens)", "posterior_q50"] == pytest.approx(np.median(shares[:, 2]))


def test_tables_come_back_from_the_file_as_they_were(tmp_path: Path) -> None:
    priors, data = load_priors(), load_observations(as_of="2025-06-30")
    run = explained(sample_prior(priors, data, draws=10))
    back = tables_of(load_run(save_run(run, tmp_path / "run.nc")))
    assert set(back) == set(data.tables)
    for name, frame in back.items():
        before = data.to_frame(name).reset_index(drop=True)
        assert frame.columns.tolist() == before.columns.tolist()
        for column in before.select_dtypes("number"):
            np.testing.assert_array_equal(frame[column].astype(float), before[column], err_msg=f"{name}.{column}")
