"""`diff` of two runs: what changed, and how the movement is split, against closed forms."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from scipy import stats

from forecast.cli import main
from forecast.constants import constants
from forecast.drivers import movement_plan
from forecast.drivers.changes import changes, made_here
from forecast.drivers.mixture_weights import (
    difference,
    log_constants_ratio,
    mixture_log_density,
    pareto_k,
    weighted_medians,
)
from forecast.drivers.movement import Movement, movement
from forecast.drivers.movement_swaps import REST
from forecast.drivers.movement_words import NOTHING_CHANGED, movement_sentences, movement_words
from forecast.drivers.outputs import evaluator, parsed_outputs
from forecast.drivers.swapped_densities import (
    CONSTANTS_OF,
    LINE,
    hybrid_tables,
    log_data_density,
    rows_cut_by_date,
    same_line,
    side_of,
)
from forecast.equations import trends
from forecast.errors import InputError
from forecast.fitting import sample_prior
from forecast.model.on_draws import log_restrictions
from forecast.observations import Observations, load_observations
from forecast.priors import Priors
from forecast.records import described
from forecast.research.reweighting import weights
from forecast.runs import parameters_of, read_provenance, save_run, with_provenance
from forecast.side_draws import recorded_tables, thinned
from forecast.statements import Prior, stated

SIZE = {"draws": 150, "chains": 2, "random_seed": 1}
COUNT = "log10_human_equivalents@2026"  # additive in the logs of the two below
TOKENS, DISCOUNT = "tokens_per_researcher_year", "inference_discount"


def shifted(prior: Prior, factor: float, spread: float = 1.0) -> Prior:
    """A log-normal prior with its median times `factor` and its spread times `spread`."""
    mu, sigma = prior.params["mu"] + np.log(factor), prior.params["sigma"] * spread
    return stated("LogNormal", {"params": {"mu": mu, "sigma": sigma}})


@pytest.fixture(scope="module")
def before(priors: Priors, observations: Observations) -> xr.DataTree:
    return sample_prior(priors, observations, **SIZE)


def parts_of(found: Movement, output: str) -> dict[str, Any]:
    table = found.parts[found.parts["output"] == output].set_index("change")
    return table.to_dict("index")


def rewritten(run: xr.DataTree, **entries: Any) -> xr.DataTree:
    """The run with other entries in its record."""
    return with_provenance(run.copy(), read_provenance(run) | entries)


# What changed


def test_nothing_has_changed_between_a_run_and_itself(before: xr.DataTree) -> None:
    found = movement(before, before, [COUNT])
    assert found.changes.empty
    assert not found.outputs["moved"].any()
    assert found.parts["change"].tolist() == [REST]
    assert found.parts["rank_shift"].tolist() == found.parts["shift"].tolist() == [0.0]
    assert movement_sentences(found)[0] == NOTHING_CHANGED


def test_every_difference_of_two_records_is_listed(before: xr.DataTree) -> None:
    record = read_provenance(before)
    other = json.loads(json.dumps(record))
    other["priors"][TOKENS] = {"params": {"mu": 1.0, "sigma": 2.0}, "distribution": "LogNormal"}
    del other["priors"]["text_epochs"]
    other["digests"]["tables"]["hardware"] = "0" * 64
    other["settings"]["draws"] = 7
    other["versions"]["pymc"] = "1.0"
    other["as_of"] = "2025-01-01"
    other["kind"] = "posterior"
    other |= {"views": ["davidson2023"]}
    found = changes(before, with_provenance(before.copy(), other))
    assert set(zip(found["kind"], found["name"], strict=True)) == {
        ("drawn from", "drawn from"),
        ("prior", TOKENS),
        ("prior", "text_epochs"),
        ("table", "hardware"),
        ("as_of", "as_of"),
        ("setting", "draws"),
        ("version", "pymc"),
        ("views", "views"),  # of a view nobody can say by which model it was made
    }
    row = found[found["name"] == TOKENS].iloc[0]
    assert (row["was"], row["is"]) == ("LogNormal, 90% interval 1.15e+07 to 1.15e+09", "LogNormal(mu=1, sigma=2)")
    assert found[found["name"] == "text_epochs"]["is"].item() == "not there"


def test_what_explained_runs_say_besides_is_compared_too(
    before: xr.DataTree, priors: Priors, observations: Observations
) -> None:
    whole = described(before, priors, observations, scenarios=["baseline"], years=[2026, 2027])
    assert changes(whole, before).empty  # a record that is silent tells no change
    other = read_provenance(whole)
    other["scenarios"], other["years"], other["overlays"] = ["software_only"], [2026, 2027, 2028], ["mine"]
    other["origin"]["hardware"] = "elsewhere"
    other["parameters"][0]["rationale"] = "another reason"
    found = changes(whole, with_provenance(whole.copy(), other))
    assert found["kind"].tolist() == ["scenarios", "years", "overlay", "origin", "source"]


def test_a_run_knows_whether_the_installed_model_made_it(before: xr.DataTree) -> None:
    record = read_provenance(before)
    assert made_here(record)
    record["digests"]["model"] = "another"
    assert not made_here(record)
    del record["digests"]["model"]  # a run older than this record
    assert not made_here(record)


# Weights from the mixture of two posteriors


def test_bridge_sampling_finds_the_ratio_of_two_constants() -> None:
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.normal(0.0, 1.0, 4000), rng.normal(1.0, 2.0, 2000)])
    from_b = np.arange(6000) >= 4000
    log_a, log_b = -0.5 * x**2, -0.125 * (x - 1.0) ** 2 + 3.0  # without their constants
    assert log_constants_ratio(log_b - log_a, from_b) == pytest.approx(3.0 + np.log(2.0), abs=0.03)


def test_posteriors_that_share_no_draw_have_no_bridge() -> None:
    from_b = np.array([False, False, True, True])
    gain = np.array([-np.inf, -np.inf, np.inf, np.inf])
    assert log_constants_ratio(gain, from_b) == 0.0


def test_weighted_draws_of_two_conjugate_posteriors_stand_for_those_between() -> None:
    """Normal mean, prior N(0, 1) or N(2, 1), data N(x | theta, 1) at 0 or 1: four posteriors N((m + x) / 2, 1/2)."""
    rng, spread = np.random.default_rng(2), np.sqrt(0.5)
    theta = np.concatenate([rng.normal(0.0, spread, 20_000), rng.normal(1.5, spread, 20_000)])
    from_b = np.arange(40_000) >= 20_000

    def target(prior: float, seen: float) -> np.ndarray:
        return -0.5 * (theta - prior) ** 2 - 0.5 * (theta - seen) ** 2

    density = mixture_log_density(target(0.0, 0.0), target(2.0, 1.0), from_b)
    for prior, seen in ((0.0, 0.0), (2.0, 0.0), (0.0, 1.0), (2.0, 1.0)):
        log_weights = difference(target(prior, seen), density)
        median = weighted_medians(theta, weights(log_weights)[:, None])[0]
        assert median == pytest.approx((prior + seen) / 2.0, abs=0.03)
    assert pareto_k(difference(target(2.0, 0.0), density)) < 0.7


def test_weights_with_a_heavy_tail_are_known_by_their_k() -> None:
    tail = stats.pareto(1.0).rvs(4000, random_state=np.random.default_rng(3))  # shape 1: k = 1
    assert pareto_k(np.log(tail)) == pytest.approx(1.0, abs=0.15)


# Exact swaps


def test_one_changed_prior_explains_everything(before: xr.DataTree, priors: Priors, observations: Observations) -> None:
    after = sample_prior(priors.replace(**{TOKENS: shifted(priors[TOKENS], 10.0)}), observations, **SIZE)
    found = movement(before, after, [COUNT])
    parts = parts_of(found, COUNT)
    assert parts[TOKENS]["shift"] == pytest.approx(-1.0, abs=1e-9)
    assert parts[TOKENS]["share"] == pytest.approx(1.0)
    assert parts[REST]["shift"] == pytest.approx(0.0, abs=1e-9)
    assert "tokens_per_researcher_year explains 100% of it" in movement_sentences(found)[0]
    assert movement_words(found, COUNT)["Moves it by"].tolist() == ["x 0.1", "x 1", "x 0.1"]


def test_two_changes_that_add_up_share_as_they_add_up(
    before: xr.DataTree, priors: Priors, observations: Observations
) -> None:
    replaced = {TOKENS: shifted(priors[TOKENS], 10.0), DISCOUNT: shifted(priors[DISCOUNT], 0.5)}
    after = sample_prior(priors.replace(**replaced), observations, **SIZE)
    found = movement(before, after, [COUNT, f"{COUNT}<7"])
    parts = parts_of(found, COUNT)
    assert parts[TOKENS]["shift"] == pytest.approx(-1.0, abs=1e-9)
    assert parts[DISCOUNT]["shift"] == pytest.approx(-np.log10(2.0), abs=1e-9)
    for output in found.outputs.to_dict("records"):
        of = found.parts[found.parts["output"] == output["output"]]
        for column in ("shift", "rank_shift"):
            assert of[column].sum() == pytest.approx(output[column], abs=1e-12)


def test_runs_of_other_seeds_are_swapped_by_rank(
    before: xr.DataTree, priors: Priors, observations: Observations
) -> None:
    changed = priors.replace(**{TOKENS: shifted(priors[TOKENS], 10.0)})
    after = sample_prior(changed, observations, **(SIZE | {"random_seed": 2}))
    found = movement(before, after, [COUNT])
    parts = parts_of(found, COUNT)
    assert parts[TOKENS]["shift"] == pytest.approx(-1.0, abs=0.25)  # 300 draws of either prior
    assert parts[TOKENS]["shift"] + parts[REST]["shift"] == pytest.approx(found.outputs["shift"].item(), abs=1e-12)


def test_a_prior_outside_the_joint_model_moves_nothing(
    before: xr.DataTree, priors: Priors, observations: Observations
) -> None:
    after = sample_prior(priors.replace(idea_help=3.0), observations, **SIZE)
    parts = parts_of(movement(before, after, [COUNT]), COUNT)
    assert (parts["idea_help"]["how"], parts["idea_help"]["rank_shift"]) == ("not read", 0.0)


def test_changes_that_cancel_are_named(before: xr.DataTree, priors: Priors, observations: Observations) -> None:
    replaced = {TOKENS: shifted(priors[TOKENS], 0.1), DISCOUNT: shifted(priors[DISCOUNT], 0.1)}
    found = movement(before, sample_prior(priors.replace(**replaced), observations, **SIZE), [COUNT])
    sentence = movement_sentences(found)[0]
    assert "has not moved beyond noise" in sentence
    assert "pull opposite ways and cancel" in sentence


# Swaps by weights: two priors with data in closed form, the other parameters as they were


def conjugate(run: xr.DataTree, measured: Mapping[str, tuple[float, float]], seed: int) -> xr.DataTree:
    """The run as a fit that has measured the log of some parameters, (value, standard error), each on its own."""
    record, rng = read_provenance(run), np.random.default_rng(seed)
    posterior = run["posterior"].to_dataset().copy()
    for name, (value, error) in measured.items():
        said = record["priors"][name]["params"]
        precision = said["sigma"] ** -2 + error**-2
        mean = (said["mu"] * said["sigma"] ** -2 + value * error**-2) / precision
        draws = np.exp(rng.normal(mean, precision**-0.5, posterior[name].shape))
        posterior[name] = (posterior[name].dims, draws, posterior[name].attrs)
    tree = run.copy()
    tree["posterior"] = xr.DataTree(posterior)
    return with_provenance(tree, record | {"kind": "posterior"})


@pytest.fixture(scope="module")
def fits(priors: Priors, observations: Observations) -> tuple[xr.DataTree, xr.DataTree]:
    size = SIZE | {"draws": 600}
    start = priors.replace(**{name: shifted(priors[name], 1.0) for name in (TOKENS, DISCOUNT)})
    other = priors.replace(**{TOKENS: shifted(priors[TOKENS], 4.0), DISCOUNT: shifted(priors[DISCOUNT], 0.6)})
    measured = {TOKENS: (priors[TOKENS].params["mu"], 1.0), DISCOUNT: (priors[DISCOUNT].params["mu"], 0.5)}
    one, two = (
        conjugate(sample_prior(said, observations, **size), measured, i) for i, said in enumerate((start, other))
    )
    return one, two


def pulled(priors: Priors, name: str, factor: float, error: float) -> float:
    """How far a shift of the prior's median moves the posterior median, log10: by the weight of the prior."""
    sigma = priors[name].params["sigma"]
    return float(np.log10(factor) * sigma**-2 / (sigma**-2 + error**-2))


def test_two_fits_are_split_as_conjugate_posteriors_are(fits: tuple[xr.DataTree, xr.DataTree], priors: Priors) -> None:
    found = movement(*fits, [COUNT])
    parts = parts_of(found, COUNT)
    assert found.notes == ()
    assert {parts[name]["how"] for name in (TOKENS, DISCOUNT)} == {"weights"}
    assert parts[TOKENS]["shift"] == pytest.approx(-pulled(priors, TOKENS, 4.0, 1.0), abs=0.08)
    assert parts[DISCOUNT]["shift"] == pytest.approx(pulled(priors, DISCOUNT, 0.6, 0.5), abs=0.08)
    assert abs(parts[REST]["shift"]) < 0.08
    assert sum(part["shift"] for part in parts.values()) == pytest.approx(found.outputs["shift"].item(), abs=1e-12)
    assert found.swaps["effective_draws"].min() > 600.0


def test_fits_of_different_models_are_not_weighted(
    fits: tuple[xr.DataTree, xr.DataTree], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = read_provenance(fits[0])
    versions, digests = record["versions"] | {"forecast": "0.0.1"}, record["digests"] | {"model": "another"}
    one = rewritten(fits[0], versions=versions, digests=digests)
    found = movement(one, fits[1], [COUNT])
    assert {"version", "model"} <= set(found.changes["kind"])
    assert parts_of(found, COUNT)[REST]["share"] == pytest.approx(1.0)
    assert "run A was made by another model" in found.notes[0]
    assert "no change that could be followed explains it" in movement_sentences(found)[0]


def test_a_prior_that_no_likelihood_reads_is_still_swapped_exactly(
    before: xr.DataTree, priors: Priors, observations: Observations
) -> None:
    """The draws of inference_discount are those of its prior in both; tokens are measured."""
    start = priors.replace(**{TOKENS: shifted(priors[TOKENS], 1.0)})
    other = start.replace(**{DISCOUNT: shifted(priors[DISCOUNT], 0.5)})
    measured = {TOKENS: (priors[TOKENS].params["mu"], 1.0)}
    runs = [conjugate(sample_prior(said, observations, **SIZE), measured, 5) for said in (start, other)]
    runs[0] = rewritten(runs[0], versions=read_provenance(runs[0])["versions"] | {"forecast": "0.0.1"})
    parts = parts_of(movement(*runs, [COUNT]), COUNT)
    assert parts[DISCOUNT]["how"] == "exact"
    assert parts[DISCOUNT]["shift"] == pytest.approx(-np.log10(2.0), abs=1e-9)


def test_posteriors_too_far_apart_ask_for_a_refit(priors: Priors, observations: Observations) -> None:
    far = {TOKENS: shifted(priors[TOKENS], 1e9, 0.1), DISCOUNT: shifted(priors[DISCOUNT], 1e-4, 0.1)}
    start = priors.replace(**{name: shifted(priors[name], 1.0, 0.1) for name in far})
    runs = [
        conjugate(sample_prior(said, observations, **SIZE), dict.fromkeys(far, (1.0, 1.0)), i)
        for i, said in enumerate((start, priors.replace(**far)))
    ]
    found = movement(*runs, [COUNT])
    assert "fit a run with one change only" in found.notes[-1]
    assert found.parts["shift"].sum() == pytest.approx(found.outputs["shift"].item())


# Tables and date


def test_a_run_file_holds_the_tables_as_the_model_reads_them(
    before: xr.DataTree, priors: Priors, observations: Observations
) -> None:
    held = recorded_tables(read_provenance(described(before, priors, observations)))
    p = {name: value[:20] if np.ndim(value) else value for name, value in parameters_of(before).items()}
    with warnings.catch_warnings(action="ignore"):  # draws of the prior leave the range of some equations
        found, wanted = (log_data_density(p, seen, ["depth_scaling", "compute"]) for seen in (held, observations))
    np.testing.assert_array_equal(found, wanted)


def test_restrictions_of_all_draws_are_the_formula_of_each(before: xr.DataTree, observations: Observations) -> None:
    p = {name: value[:50] if np.ndim(value) else value for name, value in parameters_of(before).items()}
    now = observations.as_of_year
    gaps = [
        trends.log10_training_cap(now, p) - trends.log10_training_trend(now, p),
        trends.log10_fleet_cap(now, p) - trends.log10_fleet_trend(now, p),
    ]
    wanted = -np.logaddexp(0.0, -20.0 * np.array(gaps)).sum(axis=0)
    np.testing.assert_allclose(log_restrictions(p, observations, ["compute"]), wanted, rtol=1e-10, atol=1e-12)


def test_every_constant_follows_a_table_or_the_date(observations: Observations) -> None:
    assert {name for names in CONSTANTS_OF.values() for name in names} | {"as_of_year"} == set(constants(observations))


def test_a_fitted_line_of_horizons_stays_where_it_was(before: xr.DataTree) -> None:
    side = side_of(before, None, "--tables-a")
    numbers = side.numbers | {"horizon_years": side.numbers["horizon_years"][:4]}
    moved = same_line(side.p, side.numbers, numbers, fitted=True)
    flop = trends.effective_flop_on_trend(2028.0, side.p)

    def at(p: Mapping[str, Any]) -> Any:
        return p[LINE] + p["horizon_doublings_per_oom"] * (flop - p["effective_flop_centre"])

    np.testing.assert_allclose(at(moved), at(side.p), rtol=1e-9)
    assert not np.allclose(moved[LINE], side.p[LINE])


def test_tables_that_the_date_cuts_belong_to_the_date(priors: Priors, observations: Observations) -> None:
    early = load_observations(as_of="2026-01-01")
    runs = [sample_prior(priors, seen, **SIZE) for seen in (early, observations)]
    a, b = (side_of(run, None, "--tables") for run in runs)
    cut = [name for name, digest in early.digests.items() if digest != observations.digests[name]]
    assert cut
    assert all(rows_cut_by_date(a, b, name) for name in cut)
    assert hybrid_tables(a, b, frozenset({("table", cut[0])})).digests[cut[0]] == observations.digests[cut[0]]
    found = movement(*runs, [COUNT])
    assert set(found.parts["change"]) == {"as_of", REST}
    assert found.parts["shift"].sum() == pytest.approx(found.outputs["shift"].item())


def test_both_ends_are_the_runs_own_answers_whatever_is_followed(
    before: xr.DataTree, priors: Priors, observations: Observations
) -> None:
    """Run B stands at its own date, with its own constants, also where the date cannot be swapped."""
    early = sample_prior(priors, load_observations(as_of="2026-01-01"), **SIZE)
    fitted = rewritten(early, kind="posterior")  # one fitted, one of the prior: nothing of the date is followed
    followed, not_followed = movement(before, early, [COUNT]), movement(before, fitted, [COUNT])
    p, size = parameters_of(early), SIZE["draws"] * SIZE["chains"]
    answers = evaluator(parsed_outputs([COUNT]), float(p["as_of_year"]))(p, size)[COUNT]
    for found in (followed, not_followed):
        assert found.outputs["second_median"].item() == pytest.approx(np.median(answers), abs=1e-9)


def test_tables_that_are_not_at_hand_are_asked_for(
    fits: tuple[xr.DataTree, xr.DataTree], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(movement_plan, "made_here", lambda record: True)
    digests = read_provenance(fits[1])["digests"]
    other = rewritten(fits[1], digests=digests | {"tables": digests["tables"] | {"hardware": "0" * 64}})
    found = movement(fits[0], other, [COUNT])
    assert "hardware" in found.notes[0]
    assert "--tables-b" in found.notes[0]


# The command


def test_the_command_says_what_changed_and_why(
    before: xr.DataTree, priors: Priors, observations: Observations, tmp_path: Any
) -> None:
    after = sample_prior(priors.replace(**{TOKENS: shifted(priors[TOKENS], 10.0)}), observations, **SIZE)
    before, after = (thinned(run, 40) for run in (before, after))
    files = [str(save_run(run, tmp_path / f"{i}.nc")) for i, run in enumerate((before, after))]
    said = CliRunner().invoke(main, ["diff", *files, "--output", COUNT])
    assert said.exit_code == 0
    assert "PRIOR ONLY" in said.output
    assert "tokens_per_researcher_year explains 100% of it" in " ".join(said.output.split())
    whole = json.loads(CliRunner().invoke(main, ["diff", *files, "--output", COUNT, "--json"]).output)
    assert [row["name"] for row in whole["changes"]] == [TOKENS]
    assert len(CliRunner().invoke(main, ["diff", *files, "--output", COUNT, "--csv"]).output.splitlines()) == 3


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["none.nc", "none.nc"], 4, "no such run file"),
        (["text.nc", "text.nc"], 2, "not a readable run file"),
        (["text.nc", "text.nc", "--output", "takeof_years"], 2, "did you mean 'takeoff_years'"),
        (["text.nc", "text.nc", "--json", "--csv"], 2, "exclude each other"),
    ],
)
def test_a_bad_call_is_one_clear_error(arguments: list[str], code: int, words: str, tmp_path: Any) -> None:
    (tmp_path / "text.nc").write_text("no run")
    called = [str(tmp_path / x) if x.endswith(".nc") else x for x in arguments]
    said = CliRunner().invoke(main, ["diff", *called])
    assert said.exit_code == code
    assert said.output.count("error:") == 1
    assert words in said.output


def test_draws_are_two_or_more(before: xr.DataTree) -> None:
    with pytest.raises(InputError, match="give 2 or more"):
        movement(before, before, draws=1)
