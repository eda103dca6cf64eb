"""The whole analysis on draws of the prior, where inputs are independent and additive outputs have known shares."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from forecast.drivers.inputs import inputs_of
from forecast.drivers.sensitivity import OTHERS, UNEXPLAINED, Sensitivity, sensitivity
from forecast.drivers.tables import (
    blocks_words,
    drivers_sentences,
    effects_words,
    leading_sentence,
    spoken,
    tornado_words,
)
from forecast.errors import InputError
from forecast.fitting import sample_prior
from forecast.observations import Observations
from forecast.priors import Priors
from forecast.schema import BLOCKS

PEOPLE = "log10_human_equivalents@2026"
OUTPUTS = [PEOPLE, "takeoff_years", "not_automated"]


@pytest.fixture(scope="module")
def many(priors: Priors, observations: Observations) -> xr.DataTree:
    return sample_prior(priors, observations, draws=1000, chains=2, random_seed=3)


@pytest.fixture(scope="module")
def found(many: xr.DataTree) -> Sensitivity:
    return sensitivity(many, OUTPUTS, top=6, orders=20)


def test_an_additive_input_has_the_share_of_its_own_variance(found: Sensitivity, many: xr.DataTree) -> None:
    """log10 human-equivalents are log10 tokens less log10 tokens per researcher-year, which is independent of all else."""
    own = np.log10(many["posterior"]["tokens_per_researcher_year"].values).var()
    whole = float(found.outputs.set_index("output").loc[PEOPLE, "sd"]) ** 2
    row = found.worth[found.worth["output"] == PEOPLE].set_index("input").loc["tokens_per_researcher_year"]
    assert row["first"] == pytest.approx(own / whole, abs=0.05)
    assert row["last"] == pytest.approx(own / whole, abs=0.05)
    assert row["sd_known"] == pytest.approx(np.sqrt(whole - own), rel=0.05)
    led = found.inputs[found.inputs["output"] == PEOPLE].set_index("input")
    if "tokens_per_researcher_year" in led.index:
        assert led.loc["tokens_per_researcher_year", "share"] == pytest.approx(own / whole, abs=0.05)


@pytest.mark.parametrize("kind", ["blocks", "inputs"])
@pytest.mark.parametrize("output", OUTPUTS)
def test_shares_with_what_is_not_resolved_add_up_to_all(found: Sensitivity, kind: str, output: str) -> None:
    table = found.tables()[kind]
    assert table[table["output"] == output]["share"].sum() == pytest.approx(1.0, abs=1e-9)


def test_every_block_and_the_asked_number_of_inputs_is_there(found: Sensitivity) -> None:
    for output in OUTPUTS:
        assert set(found.blocks[found.blocks["output"] == output]["block"]) == {*BLOCKS, UNEXPLAINED}
        named = found.inputs[found.inputs["output"] == output]["input"]
        assert len(named) == 6 + 2
        assert list(named)[-2:] == [OTHERS, UNEXPLAINED]


def test_an_event_has_bits_and_brier_and_a_quantity_a_remaining_spread(found: Sensitivity) -> None:
    event = found.worth[found.worth["output"] == "not_automated"]
    assert event["bits"].notna().all()
    assert (event["brier"] >= 0.0).all()
    assert event["sd_known"].isna().all()
    chance = float(found.outputs.set_index("output").loc["not_automated", "sd"]) ** 2
    assert event["brier"].max() < chance
    ranked = found.worth[found.worth["output"] == "takeoff_years"]
    assert ranked[["bits", "brier", "sd_known"]].isna().all().all()


def test_intervals_hold_their_shares(found: Sensitivity) -> None:
    for table in (found.blocks, found.inputs):
        assert (table["low"] <= table["share"] + 1e-9).all()
        assert (table["share"] <= table["high"] + 1e-9).all()


def test_draws_of_the_prior_have_a_tornado_but_no_power_scaling(found: Sensitivity) -> None:
    assert found.scaling.empty
    assert set(found.tornado["output"]) == set(OUTPUTS)


def test_sentences_name_the_three_largest(found: Sensitivity) -> None:
    said = leading_sentence(found, PEOPLE)
    named = found.inputs[found.inputs["output"] == PEOPLE]["input"][:3]
    assert all(name in said for name in named)
    assert len(drivers_sentences(found)) == len(OUTPUTS)


def test_tables_of_words_have_a_row_each(found: Sensitivity) -> None:
    assert len(blocks_words(found)) == len(BLOCKS) + 1
    assert len(effects_words(found, "not_automated")) == 8
    assert "Worth, bits" in effects_words(found, "not_automated")
    led = set(found.inputs[found.inputs["output"] == PEOPLE]["input"]) - {OTHERS, UNEXPLAINED}
    assert set(tornado_words(found, PEOPLE)["Input"]) == led - {"loss_shares"}  # several entries have no percentile


@pytest.mark.parametrize(
    ("output", "value", "words"),
    [
        ("takeoff_years", np.inf, "not in the window"),
        ("log10_streams_at_automation", -np.inf, "none"),
        ("log10_parallel_streams@2031", 6.0, "1 million"),
        ("year_100", 2031.24, "2031.2"),
        ("not_automated", 0.05, "5%"),
    ],
)
def test_values_are_said_as_people_say_them(output: str, value: float, words: str) -> None:
    assert spoken(output, value) == words


def test_the_same_seed_gives_the_same_tables(many: xr.DataTree, found: Sensitivity) -> None:
    again = sensitivity(many, OUTPUTS, top=6, orders=20)
    for name, table in found.tables().items():
        assert table.equals(again.tables()[name]), name


def test_an_output_that_never_differs_is_refused(many: xr.DataTree) -> None:
    with pytest.raises(InputError, match="is the same in all draws"):
        sensitivity(many, ["year_100<1900"])


def test_too_few_draws_are_refused(priors: Priors, observations: Observations) -> None:
    few = sample_prior(priors, observations, draws=20, chains=2)
    with pytest.raises(InputError, match="40 draws are too few"):
        sensitivity(few)


def test_columns_are_labelled_with_parameters_and_blocks(many: xr.DataTree) -> None:
    inputs = inputs_of(many)
    assert inputs.columns.shape == (2000, len(inputs.names))
    assert inputs.names.count("loss_shares") == 2  # three shares that add up to 1
    assert "depth_family_variate" not in inputs.names
    with pytest.raises(InputError, match="did you mean 'automation_gap'"):
        inputs_of(many, ["automation_gp"])
