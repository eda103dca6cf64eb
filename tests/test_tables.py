"""The shipped tables: sources, counts, and figures against what was published elsewhere."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pytest
import xarray as xr

from forecast.observations import SHIPPED, Observations, check_observations, load_observations
from forecast.rows import TABLES, units_of
from forecast.schema import decimal_year

H100 = 989.5e12  # FLOP/s, dense BF16 (NVIDIA H100 SXM data sheet)


@pytest.fixture(scope="module")
def shipped() -> Observations:
    return load_observations()


def cell(dataset: xr.Dataset, column: str, **where: str | float) -> float:
    """Return the one value of a column in the row named."""
    chosen = np.ones(dataset.sizes["row"], dtype=bool)
    for name, value in where.items():
        chosen &= dataset[name].values == value
    assert chosen.sum() == 1, where
    return float(dataset[column].values[chosen][0])


def test_the_shipped_tables_have_no_fault() -> None:
    assert check_observations() == []
    assert {file.stem for file in SHIPPED.glob("*.csv")} == set(TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_every_row_has_source_licence_and_provenance(shipped: Observations, table: str) -> None:
    dataset = shipped[table]
    assert dataset.sizes["row"] > 0
    assert (np.char.str_len(dataset.source.values) >= 4).all()
    assert set(dataset.licence.values) <= {"CC-BY-4.0", "Apache-2.0", "MIT", "BSD-3-Clause", "published figure"}
    assert set(dataset.provenance.values) <= {"read", "recalled", "derived"}


@pytest.mark.parametrize("table", TABLES)
def test_sources_are_citations_and_not_addresses(table: str) -> None:
    text = (SHIPPED / f"{table}.csv").read_text(encoding="utf-8")
    assert not re.search(r"https?:|www\.|@[0-9a-f]{7}|\.csv|secondary\b.*source list", text)


@pytest.mark.parametrize("table", TABLES)
def test_every_number_column_is_in_a_stated_unit(table: str) -> None:
    model = TABLES[table]
    numbers = [name for name in model.model_fields if units_of(model, name)]
    assert numbers
    assert all(units_of(model, name) != "as the estimate" for name in numbers)


COUNTS = {
    "architectures": 124,
    "training_utilization": 32,
    "deployment_utilization": 36,
    "inference_speed": 32,
    "chinchilla_losses": 204,
    "tokens_per_param": 15,
    "algorithmic_progress": 4,
    "training_runs": 27,
    "run_durations": 21,
    "hardware": 11,
    "world_compute": 10,
    "fleet_compute": 3,
    "time_horizons": 13,
    "research_staff": 16,
    "research_returns": 2,
    "conditions": 8,
}


def test_no_row_was_lost_or_won(shipped: Observations) -> None:
    assert {name: dataset.sizes["row"] for name, dataset in shipped.tables.items()} == COUNTS


PUBLISHED = [
    # Table 1 of PaLM (Chowdhery et al. 2022), Table 4 of Chinchilla (Hoffmann et al. 2022), MT-NLG (Smith et al. 2022)
    ("architectures", "layers", {"model": "PaLM 540B"}, 118, 0),
    ("architectures", "layers", {"model": "Chinchilla"}, 80, 0),
    ("architectures", "layers", {"model": "MT-NLG 530B"}, 105, 0),
    ("architectures", "layers", {"model": "Llama-3.1-405B"}, 126, 0),  # Llama 3 herd, Table 3
    ("architectures", "layers", {"model": "OPT-175B"}, 96, 0),  # Zhang et al. 2022, Table 1 (as GPT-3 175B)
    ("architectures", "params", {"model": "GPT-2 XL"}, 1.5e9, 0.05),
    # compute: GPT-3 3.14e23 (Brown et al. 2020, appendix D), Chinchilla's 5.76e23 is below the top 3,
    # PaLM 2.5e24 and Llama 3.1 3.8e25 (their papers)
    ("training_runs", "training_flop", {"model": "GPT-3 175B (davinci)"}, 3.14e23, 0.001),
    ("training_runs", "training_flop", {"model": "PaLM (540B)"}, 2.53e24, 0.01),
    ("training_runs", "training_flop", {"model": "Llama 3.1-405B"}, 3.8e25, 0.001),
    ("tokens_per_param", "tokens", {"model": "PaLM (540B)"}, 780e9, 0),
    ("tokens_per_param", "tokens", {"model": "Nemotron-4 340B"}, 9e12, 0),  # NVIDIA 2024: 9T tokens
    ("run_durations", "training_days", {"model": "OPT-175B"}, 33, 0.01),  # Zhang et al. 2022, section 2.5
    ("run_durations", "training_days", {"model": "LLaMA-65B"}, 21, 0.02),  # Touvron et al. 2023: about 21 days
    # data sheets of NVIDIA: V100 SXM2 125, A100 312, H100 SXM 989.5 TFLOP/s
    ("hardware", "flop_per_second", {"chip": "NVIDIA Tesla V100 SXM2"}, 125e12, 0),
    ("hardware", "flop_per_second", {"chip": "NVIDIA A100 SXM4 40 GB"}, 312e12, 0),
    ("hardware", "flop_per_second", {"chip": "NVIDIA H100 SXM5 80GB"}, H100, 0.001),
    ("algorithmic_progress", "low", {"study": "Ho et al. 2024"}, 5, 0),
    ("algorithmic_progress", "high", {"study": "Ho et al. 2024"}, 14, 0),
    ("research_returns", "returns", {"field": "chess"}, 0.83, 0),
    ("time_horizons", "horizon_minutes", {"model": "claude_3_7_sonnet"}, 60, 0.02),  # METR 1.1: 1 h
    ("time_horizons", "horizon_minutes", {"model": "o3"}, 120, 0.01),  # METR 1.1: 2 h
    ("inference_speed", "tokens_per_second", {"utilization": 0.14}, 1 / 0.029, 0.001),  # Pope et al. 2022: 29 ms/token
]


@pytest.mark.parametrize(("table", "column", "where", "figure", "tolerance"), PUBLISHED)
def test_figures_agree_with_the_publications(
    shipped: Observations, table: str, column: str, where: dict[str, str], figure: float, tolerance: float
) -> None:
    assert cell(shipped[table], column, **where) == pytest.approx(figure, rel=tolerance or 1e-12)


def test_loss_points_lie_on_the_published_surface(shipped: Observations) -> None:
    points = shipped["chinchilla_losses"]  # Besiroglu et al. 2024: E, A, B, alpha, beta
    surface = 1.8172 + 482.01 / points.params**0.3478 + 2085.43 / points.tokens**0.3658
    residual = np.abs(np.log(points.loss / surface))
    assert float(residual.median()) < 0.005
    assert float((residual < 0.05).mean()) > 0.97


def test_doubling_times_follow_from_the_published_rates(shipped: Observations) -> None:
    progress = shipped["algorithmic_progress"]
    yearly = {
        str(s): 2 ** (12 / m) for s, m in zip(progress.study.values, progress.doubling_months.values, strict=True)
    }
    assert yearly["Gundlach et al. 2025"] == pytest.approx(2.23, rel=1e-4)
    assert yearly["Mertens et al. 2026"] == pytest.approx(3.2, rel=1e-4)
    assert np.log(yearly["Ho & Whitfill 2025"]) == pytest.approx(1.1, rel=1e-4)
    assert progress.secondary.values.tolist() == [0, 1, 1, 1]


def test_world_increments_sum_to_the_difference_of_the_cumulative_totals(shipped: Observations) -> None:
    world = shipped["world_compute"]
    last = 10_703_369 + 2_836_565 + 1_025_015 + 799_373  # H100e at 2025-09-30: NVIDIA, TPU, AMD, Trainium
    first = 381_697 + 38_948  # at 2023-03-31: NVIDIA, TPU; the other two series begin in 2024
    assert float(world.added_flop_per_second.sum()) == pytest.approx((last - first) * H100, rel=1e-5)
    cumulative = first + np.cumsum(world.added_flop_per_second.values) / H100
    assert cumulative[world.quarter.values == "2024Q4"] == pytest.approx([6_531_926], rel=1e-5)


def test_quarters_follow_one_another_without_a_gap(shipped: Observations) -> None:
    world = shipped["world_compute"]
    ends = [date.fromisoformat(str(day)).toordinal() for day in world.end.values]
    starts = [date.fromisoformat(str(day)).toordinal() for day in world.start.values]
    assert [end + 1 for end in ends[:-1]] == starts[1:]
    assert world.quarter.values[0] == "2023Q2"
    assert world.quarter.values[-1] == "2025Q3"


def test_joint_intervals_are_relatively_tighter_than_the_leaders_own(shipped: Observations) -> None:
    world = shipped["world_compute"]
    low = 1 - cell(world, "low", quarter="2025Q3") / cell(world, "added_flop_per_second", quarter="2025Q3")
    nvidia = 1 - 9_295_255 / 10_703_369
    assert 0.4 * nvidia < low < nvidia


def test_fleets_are_the_yearly_maxima(shipped: Observations) -> None:
    fleet = shipped["fleet_compute"]
    assert fleet.lab.values.tolist() == ["OpenAI", "Google DeepMind", "OpenAI"]
    np.testing.assert_allclose(fleet.fleet_flop_per_second / H100, [102_535, 420_334, 1_743_440], rtol=1e-5)


def test_ranks_hold_among_the_runs_listed(shipped: Observations) -> None:
    runs = shipped["training_runs"]
    for year, flop, rank in zip(runs.year.values, runs.training_flop.values, runs["rank"].values, strict=True):
        larger = int(((runs.training_flop > flop) & (runs.year <= year)).sum())
        assert larger <= rank - 1  # runs from before 2020 count in the rank and are not listed
        if year > 2020.5:
            assert larger == rank - 1
    slope = np.polyfit(runs.year - 2024, np.log10(runs.training_flop), 1)[0]
    assert slope == pytest.approx(0.67, abs=0.06)  # the design's first fit


def test_record_sized_runs_are_at_least_a_tenth_of_the_largest(shipped: Observations) -> None:
    runs, record = shipped["tokens_per_param"], shipped["training_runs"]
    for year, flop in zip(runs.year.values, runs.training_flop.values, strict=True):
        assert flop >= max(1e24, float(record.training_flop[record.year <= year].max()) / 10)
    assert len(set(runs.model.values)) == runs.sizes["row"]


def test_run_lengths_reproduce_the_first_fit(shipped: Observations) -> None:
    days = shipped["run_durations"].training_days
    assert float(np.exp(np.log(days).mean())) == pytest.approx(55, rel=0.12)
    assert float(np.log(days).std()) == pytest.approx(0.8, abs=0.15)


def test_horizons_double_as_fast_as_published(shipped: Observations) -> None:
    horizons = shipped["time_horizons"]
    slope = np.polyfit(horizons.year, np.log2(horizons.horizon_minutes), 1)[0]
    assert 365.25 / slope == pytest.approx(128.7, rel=0.05)  # METR 1.1, days since 2023
    assert not horizons.censored.any()


def test_training_utilization_is_about_the_first_fit(shipped: Observations) -> None:
    assert float(shipped["training_utilization"].training_utilization.median()) == pytest.approx(0.37, abs=0.05)


def test_deployment_settings_are_told_apart(shipped: Observations) -> None:
    table = shipped["deployment_utilization"]
    settings = table.setting.values.tolist()
    assert {name: settings.count(name) for name in set(settings)} == {
        "vendor_benchmark": 31,
        "measured": 4,
        "production": 1,
    }
    # DeepSeek 2025: 14,800 output tokens/s per node of 8 H800, 37e9 active parameters, 1979e12 FLOP/s in fp8
    figure = 2 * 37e9 * 14_800 / (8 * 1979e12)
    assert cell(table, "deployment_utilization", setting="production") == pytest.approx(figure, rel=0.01)


def test_bandwidth_bounds_every_unbatched_stream(shipped: Observations) -> None:
    table = shipped["inference_speed"]
    reading = table.active_params * table.bytes_per_param / (table.chips * table.memory_bandwidth)
    assert (table.tokens_per_second < 1 / reading).all()


def test_no_consumer_chip_is_shipped(shipped: Observations) -> None:
    assert set(shipped["hardware"].market.values) == {"datacentre"}
    assert not any(re.search("GeForce|RTX", str(chip)) for chip in shipped["hardware"].chip.values)


def test_returns_are_converted_by_the_language_models_inputs(shipped: Observations) -> None:
    returns = shipped["research_returns"]
    labour, fleet, share = 0.85, 1.3, 0.67
    np.testing.assert_allclose(returns.conversion, labour / ((1 - share) * labour + share * fleet), rtol=1e-5)


def test_conditions_state_the_design(shipped: Observations) -> None:
    conditions = shipped["conditions"]
    centres = dict(zip(conditions.condition.values.tolist(), conditions.centre.values.tolist(), strict=True))
    assert np.exp(centres["present_log_speedup"]) == pytest.approx(1.4, rel=1e-5)
    assert centres["past_compute_growth"] * 12 == pytest.approx(7, rel=1e-5)
    assert centres["past_year"] == pytest.approx(decimal_year(date(2012, 9, 30)), abs=0.01)  # AlexNet
    assert not (conditions.rationale.values == "").any()
