"""The posterior that comes with the package: that of a fit, taken where it is the one asked for, and never otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import arviz as az
import numpy as np
import pytest
import xarray as xr
from scipy import stats

from forecast import mainjob, shipped
from forecast.assembling import completed
from forecast.errors import DataMissingError, InputError
from forecast.jobs import known_words, printed_key
from forecast.observations import Observations, load_observations
from forecast.priors import Priors, interval
from forecast.runs import PRINTED, read_provenance, save_run
from forecast.schema import PARAMETERS
from forecast.shipped import (
    SEEN,
    answers_file,
    keep,
    packed,
    posterior_file,
    rounded,
    shipped_posterior,
    shipped_run,
    unpacked,
)

MEGABYTE = 1e6


def settings(run: xr.DataTree) -> dict[str, int]:
    found: dict[str, int] = read_provenance(run)["settings"]
    return found


def apart(first: xr.Dataset, second: xr.Dataset) -> Any:
    """How far two sets of draws lie apart, in Monte Carlo errors of their mean, by variable."""
    means = [draws.mean(("chain", "draw")).to_array().values for draws in (first, second)]
    errors = [az.mcse(draws, method="mean").to_array().values for draws in (first, second)]
    return (means[0] - means[1]) / np.hypot(*errors)


def test_it_is_the_posterior_that_a_fit_with_another_seed_finds(run: xr.DataTree, fitted: xr.DataTree) -> None:
    """In place (ranks) and in width (ranks from the middle), which heavy tails leave alone.

    4.5 Monte Carlo errors have a chance of 1 in 1000 over all parameters.
    """
    names = [name for block in PARAMETERS.values() for name, variable in block.items() if not variable.dims]
    both = [tree["posterior"].to_dataset()[[n for n in names if n in run["posterior"]]] for tree in (run, fitted)]
    ranks = [both[0].copy(deep=True), both[1].copy(deep=True)]
    for name in both[0].data_vars:
        values = [draws[name].values for draws in both]
        pooled = stats.rankdata(np.concatenate([v.ravel() for v in values])) / sum(v.size for v in values) - 0.5
        for rank, part, v in zip(ranks, np.split(pooled, [values[0].size]), values, strict=True):
            rank[name].values = part.reshape(v.shape)
    for distance in (apart(*ranks), apart(*(np.abs(rank) for rank in ranks))):
        assert np.abs(distance).max() < 4.5, list(both[0].data_vars)[int(np.abs(distance).argmax())]
        assert np.sqrt(np.mean(distance**2)) == pytest.approx(1.0, abs=0.35)


def test_it_passes_the_gate_and_says_where_it_is_from(run: xr.DataTree) -> None:
    record = read_provenance(run)
    assert record["gate"]["passed"]
    assert record["shipped"] is True
    assert record["kind"] == "posterior"


def test_it_takes_less_than_three_megabytes() -> None:
    assert posterior_file().stat().st_size + answers_file().stat().st_size < 3.0 * MEGABYTE


def test_everything_that_is_not_stored_is_found_again(
    fitted: xr.DataTree, priors: Priors, observations: Observations
) -> None:
    """All groups of a fit from what is stored of it; what is small beside a year moves more."""
    stored = xr.DataTree.from_dict(packed(fitted))
    told, seen = (stored[name].to_dataset() for name in SEEN)
    again = completed(unpacked(stored), told, seen, priors, observations, settings(fitted))
    assert set(again.children) == set(fitted.children)
    for group in fitted.children:
        before, after = fitted[group].to_dataset(), again[group].to_dataset()
        assert set(before.data_vars) == set(after.data_vars), group
        for name in before.data_vars:
            assert before[name].dims == after[name].dims, name
            assert before[name].dtype == after[name].dtype, name
            np.testing.assert_allclose(after[name], before[name], rtol=3e-10, atol=1e-5, err_msg=str(name))


def test_rounding_moves_no_float_by_more_than_half_a_bit_and_no_whole_number() -> None:
    values = xr.DataArray(
        np.random.default_rng(0).normal(size=1000)
        * 10.0 ** np.arange(-500, 500)[:, None].repeat(1, 1)[:, 0].clip(-300, 300)
    )
    assert float(np.abs(rounded(values) / values - 1.0).max()) <= 2.0**-33
    whole = xr.DataArray(np.arange(5))
    assert rounded(whole).identical(whole)
    assert rounded(xr.DataArray(np.array([0.0, np.inf, -np.inf]))).values.tolist() == [0.0, np.inf, -np.inf]


def test_other_priors_tables_dates_or_settings_have_none(
    run: xr.DataTree, priors: Priors, observations: Observations
) -> None:
    same = settings(run)
    assert shipped_run(priors, observations, same) is not None
    changed = priors.replace(depth_exponent=interval("Normal", 0.1, 0.3))
    assert shipped_run(changed, observations, same) is None
    assert shipped_run(priors, load_observations(as_of="2026-01-01"), same) is None
    assert shipped_run(priors, observations, same | {"random_seed": 9}) is None
    with pytest.raises(DataMissingError, match=r"fit these with forecast fit, or fc\.fit\(priors, observations\)"):
        shipped_posterior(changed)


@pytest.mark.parametrize("place", [0.3, 0.6, 0.9])
def test_a_damaged_file_counts_as_none(place: float, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each array has a checksum: a flipped byte among the numbers is no other posterior."""
    content = bytearray(posterior_file().read_bytes())
    content[int(place * len(content))] ^= 0xFF
    damaged = tmp_path / "draws.nc"
    damaged.write_bytes(content)
    monkeypatch.setattr(shipped, "posterior_file", lambda: damaged)
    with pytest.raises(DataMissingError):
        shipped_posterior()


def test_a_missing_file_counts_as_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shipped, "posterior_file", lambda: tmp_path / "none.nc")
    with pytest.raises(DataMissingError):
        shipped_posterior()


def test_the_main_job_takes_it_says_so_and_fits_only_when_asked(
    monkeypatch: pytest.MonkeyPatch, run: xr.DataTree, tmp_path: Path
) -> None:
    import forecast.fitting

    monkeypatch.setattr(forecast.fitting, "fit", lambda *_, **__: run)
    job, said = mainjob.prepared(tmp_path / "out"), list[str]()
    found, origin = mainjob.sampled(job, False, said.append)
    assert origin == "package"
    assert "comes with the package" in said[0]
    assert read_provenance(found)["shipped"] is True
    assert mainjob.sampled(job, True, said.append)[1] == "fit"
    assert mainjob.sampled(job, False, said.append, shipped=False)[1] == "fit"
    assert mainjob.sampled(mainjob.prepared(tmp_path / "out", seed=5), False, said.append)[1] == "fit"
    save_run(mainjob.whole_run(job, found, "package"), tmp_path / "out" / "run.nc")
    assert mainjob.sampled(job, False, said.append)[1] == "folder"


def test_its_answer_is_known_for_the_job_it_was_found_for_and_for_no_other(
    monkeypatch: pytest.MonkeyPatch, run: xr.DataTree, tmp_path: Path
) -> None:
    job = mainjob.prepared(tmp_path)
    key = printed_key(run, job)
    for said, known in (("an answer\x1b[2J\n", "an answer[2J\n"), ("", "")):
        run = run.copy()
        run.attrs[PRINTED] = json.dumps({"key": key, "said": said})
        assert known_words(run, job) == known
        assert known_words(run, mainjob.prepared(tmp_path, years=[2030])) is None
    run.attrs[PRINTED] = "damaged"
    assert known_words(run, job) is None


def test_only_a_fit_of_what_is_shipped_can_be_kept(
    monkeypatch: pytest.MonkeyPatch, prior_run: xr.DataTree, run: xr.DataTree, fitted: xr.DataTree, tmp_path: Path
) -> None:
    monkeypatch.setattr(shipped, "posterior_file", lambda: tmp_path / "posterior" / "draws.nc")
    for other in (prior_run, fitted):
        with pytest.raises(InputError, match="only a fit of the shipped priors, tables and settings is kept"):
            keep(other)
    assert list(tmp_path.iterdir()) == []
    _, answers = keep(run)
    assert [path.name for path in (tmp_path / "posterior").iterdir()] == [answers.name], "its draws are there already"
