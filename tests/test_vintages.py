"""Vintages: which one a cut takes, that none knows what came later, and that its numbers follow from those of its day.

Published figures are typed from their sources; none is read from the files.
"""

from __future__ import annotations

import itertools
import math
import re
from datetime import date as Date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytensor.tensor as pt
import pytest

from forecast.constants import constants, coords
from forecast.equations import trends
from forecast.equations.sample_efficiency import optimal_tokens_per_param
from forecast.errors import DataMissingError, InputError
from forecast.model import BLOCK_FUNCTIONS, RESTRICTIONS
from forecast.model.parameters import names_read
from forecast.observations import load_observations
from forecast.prior_files import JUDGEMENT, PriorFile, read_prior_file
from forecast.priors import Priors, check_priors, load_priors, read_overlay
from forecast.vintages import vintage_names, vintage_path

VINTAGES = ("2022", "2023", "2024", "2025")
BACK_TESTED = (
    "depth_scaling",
    "utilization",
    "sample_efficiency",
    "algorithmic_progress",
    "compute",
    "deployment",
    "task_horizon",
)
CENTRE = {"loss_params_centre": 8.74e8, "loss_tokens_centre": 1.65e10}  # of the table chinchilla_losses
PUBLISHED = re.compile(r"published (\d{4}-\d{2}-\d{2})$")


def file_of(vintage: str) -> PriorFile:
    """One file as it stands, without what it extends."""
    file = read_prior_file(path_of(vintage), [], overlay=True)
    assert file is not None
    return file


def path_of(vintage: str) -> Path:
    return vintage_path(Date(int(vintage), 1, 1))


@cache
def stated_in(vintage: str = "") -> Priors:
    """The priors of a vintage, or of the baseline without a name."""
    return load_priors(overlays=[path_of(vintage)] if vintage else [])


@cache
def names_that_rows_read() -> tuple[str, ...]:
    """Parameters that a likelihood of a back-tested block asks for."""
    data = load_observations()

    def fill(p: dict[str, Any]) -> None:
        for block in BACK_TESTED:
            BLOCK_FUNCTIONS[block](p, data, xp=pt)
        for block in BACK_TESTED:
            for restrict in RESTRICTIONS.get(block, ()):
                restrict(p, data)

    return tuple(names_read(fill, constants(data), coords(data)))


def interval_of(vintage: str, name: str, mass: float = 0.9) -> tuple[float, float]:
    low, high = stated_in(vintage)[name].quantile([(1.0 - mass) / 2.0, (1.0 + mass) / 2.0], float(vintage))
    return float(low), float(high)


@cache
def drawn(vintage: str, draws: int = 4000) -> dict[str, Any]:
    """Independent draws of what the trends read."""
    seeds = np.random.SeedSequence(1).spawn(len(stated_in(vintage)))
    found = {
        name: prior.sample(np.random.default_rng(seed), draws, float(vintage))
        for seed, (name, prior) in zip(seeds, stated_in(vintage).items(), strict=True)
        if prior.block in BACK_TESTED
    }
    return found | {"as_of_year": float(vintage)}


# --- which one a cut takes -------------------------------------------------------------------------------------------


def test_these_are_the_vintages_shipped() -> None:
    assert vintage_names() == list(VINTAGES)


@pytest.mark.parametrize(
    ("cut", "vintage"),
    [
        (Date(2022, 1, 1), "2022"),
        (Date(2022, 12, 31), "2022"),
        (Date(2023, 1, 1), "2023"),
        (Date(2024, 6, 30), "2024"),
        (Date(2031, 1, 1), "2025"),
    ],
)
def test_a_cut_takes_the_latest_vintage_that_is_not_after_it(cut: Date, vintage: str) -> None:
    assert vintage_path(cut).name == f"{vintage}.toml"


def test_a_cut_before_all_vintages_is_told_the_earliest() -> None:
    with pytest.raises(InputError, match="2021-12-31: choose 2022-01-01"):
        vintage_path(Date(2021, 12, 31))


def test_an_installation_without_vintages_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecast.vintages.priors_folder", lambda: tmp_path)
    with pytest.raises(DataMissingError, match="install it again"):
        vintage_path(Date(2022, 1, 1))


# --- what a vintage may know -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("vintage", VINTAGES)
def test_a_vintage_has_no_fault_and_gives_a_reason_for_every_number(vintage: str) -> None:
    assert check_priors(path_of(vintage)) == []
    assert [name for name, prior in file_of(vintage).priors.items() if not prior.rationale.endswith(".")] == []


@pytest.mark.parametrize("vintage", VINTAGES)
def test_a_vintage_restates_only_what_back_tested_rows_read(vintage: str) -> None:
    assert set(file_of(vintage).priors) <= set(names_that_rows_read())


@pytest.mark.parametrize("vintage", VINTAGES)
def test_a_vintage_keeps_the_families_that_the_sampler_knows(vintage: str) -> None:
    for name in file_of(vintage).priors:
        prior, base = stated_in(vintage)[name], stated_in()[name]
        assert (prior.distribution, prior.bounds) == (base.distribution, base.bounds), name


@pytest.mark.parametrize("vintage", VINTAGES)
def test_a_vintage_cites_nothing_published_on_its_day_or_later(vintage: str) -> None:
    for key, source in file_of(vintage).sources.items():
        published = PUBLISHED.search(source.locator)
        assert published is not None, key
        assert Date.fromisoformat(published.group(1)) < Date(int(vintage), 1, 1), key


@pytest.mark.parametrize("vintage", VINTAGES)
def test_nothing_that_back_tested_rows_read_rests_on_a_younger_source(vintage: str) -> None:
    priors = stated_in(vintage)
    for name in names_that_rows_read():
        for key in set(priors[name].source) - {JUDGEMENT}:
            year = re.search(r"\b(?:19|20)\d\d\b", priors.sources[key].cite)
            assert year is not None and year.group() < vintage, f"{name} cites {priors.sources[key].cite}"


def test_each_vintage_extends_the_one_before() -> None:
    entries = [set(read_overlay(path_of(vintage)).entries) for vintage in VINTAGES]
    assert all(earlier <= later for earlier, later in itertools.pairwise(entries))
    assert [file_of(vintage).extends for vintage in VINTAGES] == ["", *VINTAGES[:-1]]


# --- numbers of the day ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vintage", "top_three", "dated", "growth"),
    [
        # 6 x parameters x tokens of MT-NLG and Jurassic-1; Gopher as published
        ("2022", (6 * 5.3e11 * 3e11, 6.31e23, 6 * 1.78e11 * 3e11), (2021.78, 2021.94, 2021.61), 0.6),
        ("2023", (6 * 5.4e11 * 7.8e11, 6 * 5.3e11 * 3e11, 6.31e23), (2022.26, 2021.78, 2021.94), 0.5),
        # GPT-4 by the leak, Inflection-2, PaLM 2 from its reported size and text
        ("2024", (2.15e25, 1e25, 6 * 3.4e11 * 3.6e12), (2023.2, 2023.89, 2023.36), 0.5),
    ],
)
def test_training_compute_is_the_three_largest_runs_carried_forward(
    vintage: str, top_three: tuple[float, ...], dated: tuple[float, ...], growth: float
) -> None:
    carried = np.mean(np.log10(top_three)) + growth * (2024.0 - np.mean(dated))
    params = stated_in(vintage)["log10_training_flop_2024"].params
    assert params["mu"] == pytest.approx(carried, abs=0.1)
    # no better than an order of magnitude, joined to what the growth adds: the rows say the level themselves
    spread = stated_in(vintage)["training_compute_growth"].params["sigma"] * (2024.0 - np.mean(dated))
    assert params["sigma"] == pytest.approx(math.hypot(1.0, spread), abs=0.05)


@pytest.mark.parametrize(
    ("vintage", "stock_then", "years", "growth", "known_within"),
    [
        # data-centre sales x share of chips x FLOP/s per dollar, plus TPUs; chips of 2018-20, 2020 and 2021 apart
        ("2022", 0.85 * (7.8e9 * 1.1e10 + 5.2e9 * 1.8e10 + 6.5e9 * 2.6e10) + 7e19, 3.0, 0.35, 0.4),
        ("2023", 4e20 + 0.8 * 15.0e9 * 2.6e10 + 1e20, 2.0, 0.35, 0.3),
        ("2024", 0.8 * 61e9 * 3.3e10 + 9e20 + 2.4e21, 0.0, 0.4, 0.35),
        ("2025", 0.8 * 175e9 * 3.3e10 + 1e21 + 7e20, 0.0, 0.4, 0.25),
    ],
)
def test_the_world_s_stock_is_what_had_been_sold(
    vintage: str, stock_then: float, years: float, growth: float, known_within: float
) -> None:
    level = stated_in(vintage)["log10_world_flop_per_second_2025"].params
    rate = stated_in(vintage)["world_compute_growth"].params
    assert rate["mu"] == growth
    assert level["mu"] == pytest.approx(np.log10(stock_then) + years * growth, abs=0.06)
    assert level["sigma"] == pytest.approx(math.hypot(known_within, years * rate["sigma"]), abs=0.05)


def test_chinchilla_surprises_2022_and_centres_2023() -> None:
    assert interval_of("2022", "tokens_per_param_2024")[1] < 20.0
    low, high = interval_of("2023", "tokens_per_param_2024", mass=0.6)
    assert low < 20.0 < high


@pytest.mark.parametrize(
    ("vintage", "name", "published"),
    [
        ("2022", "training_compute_growth", 12.0 / 3.4 * math.log10(2.0)),  # Amodei & Hernandez 2018
        ("2022", "software_doubling_months", 16.0),  # Hernandez & Brown 2020
        ("2022", "price_performance_growth", math.log10(2.0) / 2.5),  # Cotra 2020
        ("2022", "slowdown_year", 2025.0),  # Cotra 2020
        ("2023", "training_compute_growth", 2.0 * math.log10(2.0)),  # Sevilla et al. 2022, 6 months
        ("2023", "training_compute_growth", 12.0 / 9.9 * math.log10(2.0)),  # the same, large-scale models
        ("2023", "price_performance_growth", math.log10(2.0) / 2.46),  # Hobbhahn & Besiroglu 2022
        ("2023", "software_doubling_months", 9.0),  # Erdil & Besiroglu 2022
        ("2023", "training_utilization_2023", 0.462),  # PaLM
        ("2025", "training_compute_growth", math.log10(4.2)),  # Sevilla & Roldan 2024
        ("2025", "slowdown_year", 2030.0),  # Sevilla et al. 2024
        ("2025", "log2_horizon_at_centre", math.log2(30.0)),  # METR, August 2024
    ],
)
def test_what_had_been_published_lies_inside(vintage: str, name: str, published: float) -> None:
    low, high = interval_of(vintage, name)
    assert low < published < high


@pytest.mark.parametrize(
    "name", ["log10_world_flop_per_second_2025", "log10_fleet_flop_per_second_2025", "log2_horizon_at_centre"]
)
def test_levels_nobody_had_counted_get_sharper_year_by_year(name: str) -> None:
    spread = [stated_in(vintage)[name].params["sigma"] for vintage in VINTAGES]
    assert all(later < earlier for earlier, later in itertools.pairwise(spread))


def test_the_optimum_of_2022_lies_between_kaplan_s_and_the_practice_of_its_day() -> None:
    flop = 1e24
    params = 1.3e9 * (flop / 8.64e19) ** 0.73  # Kaplan et al. 2020, compute in PF-days
    surface = trends.loss_surface_arguments(drawn("2022") | CENTRE)
    optimum = np.median(optimal_tokens_per_param(flop, **surface))
    assert flop / (6.0 * params**2) < optimum < 3e11 / 1.75e11  # GPT-3


# --- all priors of a vintage together --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vintage", "record"),
    [("2022", 9.5e23), ("2023", 2.5e24), ("2024", 2.15e25), ("2025", 3.8e25)],  # MT-NLG, PaLM, GPT-4, Llama 3.1
)
def test_the_record_of_the_day_is_no_surprise(vintage: str, record: float) -> None:
    trend = trends.log10_training_trend(float(vintage), drawn(vintage))
    assert 0.1 < np.mean(trend < np.log10(record)) < 0.9


@pytest.mark.parametrize("vintage", VINTAGES)
def test_the_run_fits_the_fleet_and_the_fleet_the_world_often_enough(vintage: str) -> None:
    p, now = drawn(vintage), float(vintage)
    fits = trends.log10_training_trend(now, p) < trends.log10_training_cap(now, p)
    fits &= trends.log10_fleet_trend(now, p) < trends.log10_fleet_cap(now, p)
    assert fits.mean() > 0.25  # the model drops the rest at the cut; fewer would be priors that contradict each other


@pytest.mark.parametrize("vintage", VINTAGES)
def test_draws_stay_where_the_equations_hold(vintage: str) -> None:
    p = drawn(vintage)
    assert (trends.LN10 * p["price_performance_growth"] + trends.software_growth(p) > 0).all()  # a longest run exists
    assert all(np.isfinite(values).all() for values in p.values())
