"""Names, dims and units are public: changing one breaks other people's notebooks, and this test."""

from __future__ import annotations

from datetime import date

import pytest

from forecast import schema

YEARLY_UNITS = {
    "log10_training_flop": "log10 FLOP",
    "log10_fleet_flop_per_second": "log10 FLOP/s",
    "log10_world_flop_per_second": "log10 FLOP/s",
    "log10_software": "OOM",
    "log10_effective_flop": "log10 FLOP",
    "log10_task_horizon": "log10 min",
    "automated_share": "1",
    "log10_params": "log10 params",
    "layers": "layers",
    "tokens_per_param": "tokens/param",
    "training_utilization": "1",
    "deployment_utilization": "1",
    "log10_fleet_tokens_per_second": "log10 tokens/s",
    "log10_training_cluster_tokens_per_second": "log10 tokens/s",
    "log10_world_tokens_per_second": "log10 tokens/s",
    "log10_world_bound_tokens_per_second": "log10 tokens/s",
    "stream_tokens_per_second": "tokens/s",
    "serial_speed": "1",
    "log10_parallel_streams": "log10 streams",
    "log10_human_equivalents": "log10 people",
    "log10_leader_ratio": "log10",
    "log10_world_ratio": "log10",
}
READOUT_UNITS = {
    "year_20": "yr",
    "year_100": "yr",
    "takeoff_years": "yr",
    "years_to_1_oom": "yr",
    "years_to_3_oom": "yr",
    "years_to_6_oom": "yr",
    "first_year_gain": "OOM",
    "first_year_gain_human_years": "yr",
    "best_year_gain": "OOM",
    "best_year_gain_human_years": "yr",
    "largest_speedup": "1",
    "log10_streams_at_automation": "log10 streams",
    "log10_human_equivalents_at_automation": "log10 people",
    "log10_tokens_per_researcher_second": "log10 tokens/s/person",
}
EVENTS = [
    "not_automated",
    "already_20",
    "takeoff_within_1_year",
    "takeoff_within_3_years",
    "first_year_1_oom",
    "first_year_3_oom",
    "best_year_3_human_years",
    "best_year_10_human_years",
    "acceleration",
    "software_faster_than_compute",
    "software_faster_than_price_performance",
]


def test_outputs_keep_their_names_and_units():
    assert {name: variable.units for name, variable in schema.YEARLY.items()} == YEARLY_UNITS
    assert {name: variable.units for name, variable in schema.READOUTS.items()} == READOUT_UNITS
    assert list(schema.EVENTS) == EVENTS


def test_every_parameter_has_one_block_a_unit_and_a_meaning():
    assert tuple(schema.PARAMETERS) == schema.BLOCKS
    names = [name for block in schema.PARAMETERS.values() for name in block]
    assert len(names) == len(set(names)) == 90
    assert all(v.units and v.definition for block in schema.PARAMETERS.values() for v in block.values())


def test_log_names_carry_log_units():
    everything = (
        schema.YEARLY | schema.READOUTS | {k: v for block in schema.PARAMETERS.values() for k, v in block.items()}
    )
    logs = {name: v.units for name, v in everything.items() if name.startswith(("log10_", "log2_", "log_"))}
    assert all(units.startswith(("log", "ln", "OOM")) for units in logs.values()), logs


def test_vector_parameters_have_named_dims():
    dims = {name: v.dims for block in schema.PARAMETERS.values() for name, v in block.items() if v.dims}
    assert dims == {"depth_family_variate": ("family",), "loss_shares": ("loss_term",)}


@pytest.mark.parametrize(
    ("day", "year"), [((2026, 1, 1), 2026.0), ((2024, 7, 1), 2024 + 182 / 366), ((2025, 12, 31), 2025 + 364 / 365)]
)
def test_decimal_years_count_days(day, year):
    assert schema.decimal_year(date(*day)) == pytest.approx(year, abs=1e-12)
