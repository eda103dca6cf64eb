"""What a run says of S0's three organisations, and organisations of one's own from a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from forecast.errors import InputError
from forecast.observations import load_observations
from forecast.priors import Priors, interval
from forecast.quantiles import quantile
from forecast.research.organisation_files import read_organisations
from forecast.research.organisation_tables import (
    organisations_sentences,
    organisations_table,
    requirements_table,
)
from forecast.research.organisations import (
    MULTIPLES,
    ORGANISATION_VARIABLES,
    Organisation,
    h100_flop_per_second,
    load_organisations,
    organisations,
)

GOOD = """# ours
[organisations.MyCorp]
researchers = 500
h100 = { interval = [5e5, 2e6] }
weeks = 26
quality = 0.8
source = "our plan"

[organisations."Their Corp"]
researchers = { distribution = "Uniform", params = { lower = 100.0, upper = 200.0 } }
h100 = 1e6
days = 365.25
serial_speed = 10
automated = true
source = "a guess"
"""


@pytest.fixture(scope="module")
def found(prior_run: xr.DataTree) -> xr.Dataset:
    return organisations(prior_run)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.toml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def middle(data: xr.DataArray) -> float:
    return float(10.0 ** data.median())


def test_every_variable_says_what_it_is_and_is_finite_where_it_must(found: xr.Dataset) -> None:
    assert set(found.data_vars) == set(ORGANISATION_VARIABLES)
    for name, variable in ORGANISATION_VARIABLES.items():
        assert found[name].dims == (*variable.dims, "chain", "draw")
        assert found[name].attrs == {"units": variable.units, "definition": variable.definition}
        assert not np.isnan(found[name]).any()
        assert np.isfinite(found[name]).all() or name == "required"


def test_the_unit_of_compute_is_the_table_of_hardware() -> None:
    """NVIDIA's data sheet: 989.4 TFLOP/s dense in bf16."""
    assert h100_flop_per_second() == pytest.approx(989.4e12)


def test_normalcorp_is_one_by_construction(found: xr.Dataset) -> None:
    normal = found.sel(organisation="NormalCorp")
    for name in ("log10_progress", "log10_research", "log10_progress_per_subjective_year"):
        assert (normal[name] == 0.0).all()


def test_the_numbers_of_the_seed_come_out(found: xr.Dataset) -> None:
    per_researcher = found["h100_per_researcher"].sel(organisation="SlowCorp")
    np.testing.assert_allclose(per_researcher, 625_000.0)
    np.testing.assert_allclose(found["h100_years_per_subjective_year"].sel(organisation="AutomatedCorp"), 200_000.0)


def test_the_parts_add_up_in_every_draw(found: xr.Dataset) -> None:
    parts = sum(found[f"log10_{part}_effect"] for part in ("practice", "runs", "inputs"))
    np.testing.assert_allclose(parts, found["log10_progress"], atol=1e-12)


def test_mismatch_hurts_slowcorp_and_hardly_automatedcorp(found: xr.Dataset) -> None:
    """S0: practices specialised to today's ratio are SlowCorp's primary problem; AutomatedCorp's serial labour mends them."""
    dropped = found.sel(practice="dropped_in")
    assert middle(dropped["log10_practice_effect"].sel(organisation="SlowCorp")) < 0.2
    assert middle(dropped["log10_practice_factor"].sel(organisation="AutomatedCorp")) > 0.85
    slow = dropped.sel(organisation="SlowCorp")
    assert slow["log10_practice_effect"].median() < slow["log10_runs_effect"].median()


def test_an_evolved_slowcorp_is_drastically_faster_than_one_dropped_in_and_still_slower_than_normalcorp(
    found: xr.Dataset,
) -> None:
    slow = found["log10_progress"].sel(organisation="SlowCorp")
    dropped, idle, evolved = (slow.sel(practice=name) for name in ("dropped_in", "surplus_idle", "evolved"))
    assert 10.0 ** float((evolved - dropped).median()) > 10.0
    assert 10.0 ** float((evolved - idle).median()) > 5.0
    assert float((evolved < 0.0).mean()) > 0.99


def test_slowcorp_cannot_run_normal_pretraining(found: xr.Dataset) -> None:
    """S0: "they can't even run normal pretraining runs, since those take longer than 1 week to complete"."""
    fits = found["fitting_share"].sel(practice="dropped_in")
    run_share = 0.1  # at the least is in the full run
    assert (fits.sel(organisation="SlowCorp") < 1.0 - run_share).mean() > 0.95
    assert float(fits.sel(organisation="NormalCorp").median()) > 0.95


def test_with_a_year_larger_pretraining_plausibly_beats_normalcorp(found: xr.Dataset) -> None:
    """S0: "scale up pretraining another factor of 100" and "SlowCorp could plausibly outperform NormalCorp"."""
    year = found["software_gain"].sel(organisation="NormalCorp", practice="evolved")
    assert float((found["pretraining_gain"] > year).mean()) > 0.9
    assert 1.0 < float(found["pretraining_gain"].median()) < 3.0


def test_idle_surplus_helps_and_people_with_the_ideas_never_speed_things_up(found: xr.Dataset) -> None:
    progress = found["log10_research"]
    slow = progress.sel(organisation="SlowCorp")
    assert (slow.sel(practice="surplus_idle") >= slow.sel(practice="dropped_in") - 1e-6).all()
    evolved = progress.sel(practice="evolved")
    people = evolved.sel(organisation="AutomatedCorp, people's ideas")
    assert (people <= evolved.sel(organisation="AutomatedCorp") + 1e-12).all()


def test_own_values_beyond_the_required_ones_are_the_draws_that_reach_the_multiple(found: xr.Dataset) -> None:
    """Where a parameter's effect is monotone; the latency ceiling belongs to the variant in which people have the ideas."""
    for parameter, organisation in (
        ("infinite_labour_multiple", "AutomatedCorp"),
        ("parallelization_exponent", "AutomatedCorp"),
        ("latency_ceiling", "AutomatedCorp, people's ideas"),
    ):
        one = found.sel(parameter=parameter, measure="research")
        reached = found["log10_research"].sel(organisation=organisation, practice="evolved")
        for multiple in MULTIPLES:
            beyond = (one["own_value"] >= one["required"].sel(multiple=multiple)).values
            there = (reached >= np.log10(multiple)).values
            assert not (beyond & ~there).any()
            assert (beyond == there).mean() > 0.99  # more substitutable inputs may also lower a ratio
        assert (one["largest_multiple"] >= 10.0**reached - 1e-9).mean() > 0.98  # a grid may miss the own value's edge


def test_more_is_required_for_more_and_fewer_draws_lie_beyond(found: xr.Dataset) -> None:
    for smaller, larger in ((10.0, 20.0), (20.0, 30.0)):
        assert (found["required"].sel(multiple=larger) >= found["required"].sel(multiple=smaller)).all()
        assert (found["beyond"].sel(multiple=larger) <= found["beyond"].sel(multiple=smaller)).all()
    unmet = np.isinf(found["required"])
    assert (found["beyond"].where(unmet, 0.0) == 0.0).all()


def test_the_same_run_gives_the_same_numbers(prior_run: xr.DataTree, found: xr.Dataset) -> None:
    xr.testing.assert_identical(organisations(prior_run), found)


def test_a_file_adds_organisations_and_leaves_the_others_alone(
    prior_run: xr.DataTree, found: xr.Dataset, file: Path
) -> None:
    more = organisations(prior_run, file)
    assert more.organisation.values.tolist() == [*found.organisation.values.tolist(), "MyCorp", "Their Corp"]
    xr.testing.assert_identical(more.sel(organisation=found.organisation), found)
    assert np.isfinite(more["log10_progress"]).all()


def test_a_file_says_numbers_or_intervals(file: Path) -> None:
    mine, theirs = read_organisations(file, seed=1, size=20_000).values()
    assert isinstance(mine, Organisation)
    assert (mine.name, mine.source, mine.automated, theirs.automated) == ("MyCorp", "our plan", False, True)
    np.testing.assert_allclose(np.quantile(mine.h100, [0.05, 0.95]), [5e5, 2e6], rtol=0.03)
    np.testing.assert_allclose(mine.years, 26 * 7 / 365.25, rtol=1e-14)
    np.testing.assert_array_equal(mine.quality, 0.8)
    np.testing.assert_array_equal(theirs.years, 1.0)
    assert 100.0 < theirs.researchers.min() < theirs.researchers.max() < 200.0
    again = read_organisations(file, seed=1, size=20_000)["MyCorp"]
    np.testing.assert_array_equal(again.h100, mine.h100)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("= 500", "= 0", "3: organisations.MyCorp.researchers: 0 is not above 0: give a positive number"),
        ("= 500", "= -3.5", "3: organisations.MyCorp.researchers: -3.5 is not above 0: give a positive number"),
        ("= 500", "= nan", "3: organisations.MyCorp.researchers: nan is not finite: give a finite number"),
        ("= 500", "= true", "3: organisations.MyCorp.researchers: True is not a number: write it as 1.5 or 2e3"),
        ("= 500", "= 1e40", "3: organisations.MyCorp.researchers: 1e+40 is above 1e+30: check its unit"),
        ("researchers = 500\n", "", "2: organisations.MyCorp.researchers: is missing: add researchers = ..."),
        (
            "weeks = 26\n",
            "",
            "2: organisations.MyCorp.years: is missing: add years, weeks or days = ...",
        ),
        (
            "weeks = 26",
            "weeks = 26\nyears = 0.5",
            "5: organisations.MyCorp.weeks: states the time again beside years: keep one of them",
        ),
        ("quality", "qualty", "6: organisations.MyCorp.qualty: unknown key; did you mean 'quality'?"),
        (
            'source = "our plan"\n',
            "",
            '2: organisations.MyCorp.source: is missing: add source = "where the numbers come from"',
        ),
        (
            "[5e5, 2e6]",
            "[2e6, 5e5]",
            "4: organisations.MyCorp.h100: [2e+06, 500000] is not [low, high]: write the smaller number first",
        ),
        (
            "interval = [5e5, 2e6]",
            'distribution = "Normal", interval = [-1.0, 2.0]',
            "4: organisations.MyCorp.h100: -inf is not above 0: take LogNormal, or a lower bound",
        ),
        (
            "interval = [5e5, 2e6]",
            "intervall = [5e5, 2e6]",
            "4: organisations.MyCorp.h100: 'intervall' is no part of a statement; did you mean 'interval'?",
        ),
        ("= true", "= 1", "14: organisations.Their Corp.automated: 1 cannot be used: write true or false"),
        (
            "[organisations.MyCorp]",
            "[organisations.SlowCorp]",
            "2: organisations.SlowCorp: is the name of a shipped organisation: choose another",
        ),
        ("[organisations.MyCorp]", "[organisation.MyCorp]", "2: organisation: unknown table; did you mean"),
        ('source = "our plan"', "source = our plan", "7: syntax: "),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_line(file: Path, old: str, new: str, fault: str) -> None:
    file.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_organisations(file, seed=1, size=5, taken=["SlowCorp"])
    assert str(error.value).startswith(f"mine.toml:{fault}")
    assert "\n" not in str(error.value)


def test_all_faults_of_a_file_are_named_at_once(file: Path) -> None:
    file.write_text(GOOD.replace("= 500", "= 0").replace("= 1e6", "= -1"), encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_organisations(file, seed=1, size=5)
    assert [line.split(":")[1] for line in str(error.value).splitlines()] == ["3", "11"]


@pytest.mark.parametrize("text", ["", "organisations = 3", "[organisations]"])
def test_a_file_without_an_organisation_is_refused(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"organisations: holds no organisation: add a table \[organisations.Name\]"):
        read_organisations(file, seed=1, size=5)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path, prior_run: xr.DataTree) -> None:
    with pytest.raises(InputError, match=r"absent.toml:1: file: cannot be read"):
        load_organisations(prior_run, tmp_path / "absent.toml")


def test_a_prior_that_reaches_below_zero_is_refused(priors: Priors) -> None:
    from forecast.fitting import sample_prior

    odd = priors.replace(slow_quality=interval("Normal", -0.5, 1.0))
    run = sample_prior(odd, load_observations(), draws=10, chains=2, random_seed=1)
    with pytest.raises(InputError, match="the prior of slow_quality has draws at or below 0"):
        organisations(run)


def test_the_table_has_a_row_per_organisation_and_practice_with_factors_that_multiply_up(found: xr.Dataset) -> None:
    table = organisations_table(found)
    assert len(table) == 1 + 3 * 3
    assert table.iloc[0].drop("Organisation").tolist()[:3] == ["any", "1", "1 to 1"]
    slow = table[table["Organisation"] == "SlowCorp"].set_index("Practice")
    evolved = found["log10_progress"].sel(organisation="SlowCorp", practice="evolved")
    low, high = 10.0 ** quantile(evolved, [0.05, 0.95]).values
    shown = slow.loc["evolved under its constraints", "90% interval"].split(" to ")
    assert [eval(part) for part in shown] == pytest.approx([low, high], rel=0.06)  # two digits, or 1/n
    assert slow["H100 per researcher"].tolist() == ["625,000"] * 3
    assert set(slow["Runs that do not fit (factor)"]) > {"1"}


def test_the_table_of_requirements_says_where_nothing_suffices(found: xr.Dataset) -> None:
    table = requirements_table(found)
    assert len(table) == 8
    assert table.columns.tolist()[3:6] == ["10x NormalCorp", "20x NormalCorp", "30x NormalCorp"]
    assert table["30x NormalCorp"].str.contains("none suffices").any()
    assert table["10x NormalCorp"].str.fullmatch(r"(none suffices|from .+) \(.+% beyond\)").all()


def test_the_sentences_state_the_numbers_of_the_table(found: xr.Dataset) -> None:
    slow, automated, pretraining = organisations_sentences(found)
    table = organisations_table(found).set_index(["Organisation", "Practice"])["Progress (NormalCorp = 1)"]
    assert f"SlowCorp makes {table['SlowCorp', "today's"]} (90% interval" in slow
    assert f"under its constraints, {table['SlowCorp', 'evolved under its constraints']} (" in slow
    assert "comes from practice that does not fit" in slow
    assert automated.startswith(f"AutomatedCorp makes {table['AutomatedCorp', "today's"]} (90% interval")
    assert "P(10 times NormalCorp's research) = " in automated
    assert pretraining.startswith("With a year, SlowCorp's larger pre-training run would be worth ")
