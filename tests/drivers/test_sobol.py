"""Sobol indices against closed forms, brute force, scipy and SALib; then through the priors and the forecast."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import xarray as xr
from drivers.oracles import g_function, g_variances, ishigami, ishigami_variances
from scipy import stats

from forecast.drivers.outputs import HEADLINES, evaluator, parsed_outputs
from forecast.drivers.pick_freeze import SobolIndices, base_samples, estimates, indices_of, leading, swapped_values
from forecast.drivers.sobol import prior_inputs, prior_parameters, sobol, sobol_sentences, sobol_words
from forecast.errors import ForecastError, InputError
from forecast.fitting import sample_prior
from forecast.observations import Observations
from forecast.priors import Priors, load_priors
from forecast.runs import parameters_of, read_provenance
from forecast.schema import PARAMETERS

Array = npt.NDArray[np.float64]
Terms = Mapping[tuple[int, ...], float]
ISHIGAMI = {"x1": [0], "x2": [1], "x3": [2]}
G = np.array([0.0, 0.5, 3.0, 9.0, 99.0, 99.0])


def order_of(terms: Terms, group: Sequence[int], total: bool) -> float:
    """First order: terms within the group; total order: terms that touch it."""
    inside = [value for members, value in terms.items() if set(members) <= set(group)]
    touching = [value for members, value in terms.items() if set(members) & set(group)]
    return sum(touching if total else inside) / sum(terms.values())


def uniform(a: Array) -> Array:
    return np.pi * (2.0 * a - 1.0)


def of_ishigami(points: int, seed: int = 1, second: int = 0) -> SobolIndices:
    samples = tuple(uniform(u) for u in base_samples(3, points, seed))
    return indices_of(lambda x: ishigami(x)[None], ["y"], samples, ISHIGAMI, second=second, random_seed=seed)


def by_input(found: SobolIndices, output: str = "y") -> pd.DataFrame:
    return found.indices[found.indices["output"] == output].set_index("input")


def of_one(function: Callable[[Array], Array], columns: int, points: int = 1024, **more: object) -> SobolIndices:
    members = {f"x{i}": [i] for i in range(columns)}
    return indices_of(lambda u: function(u)[None], ["y"], base_samples(columns, points, 1), members, **more)


# The estimator


def test_ishigami_first_and_total_order_are_the_closed_form() -> None:
    table, terms = by_input(of_ishigami(4096)), ishigami_variances()
    for name, group in ISHIGAMI.items():
        assert table.loc[name, "first"] == pytest.approx(order_of(terms, group, total=False), abs=0.015)
        assert table.loc[name, "total"] == pytest.approx(order_of(terms, group, total=True), abs=0.015)


def test_the_g_function_is_the_closed_form() -> None:
    found, terms = of_one(lambda u: g_function(u, G), G.size, 4096), g_variances(G)
    table = by_input(found)
    for i in range(G.size):
        assert table.loc[f"x{i}", "first"] == pytest.approx(order_of(terms, [i], total=False), abs=0.015)
        assert table.loc[f"x{i}", "total"] == pytest.approx(order_of(terms, [i], total=True), abs=0.015)
    alone = sum(order_of(terms, [i], total=False) for i in range(G.size))
    assert found.outputs.loc[0, "additive"] == pytest.approx(alone, abs=0.03)


def test_a_group_is_swapped_whole() -> None:
    members, terms = {"a": [0], "b": [1, 2], "c": [3, 4, 5]}, g_variances(G)
    table = by_input(indices_of(lambda u: g_function(u, G)[None], ["y"], base_samples(6, 4096, 2), members))
    for name, group in members.items():
        assert table.loc[name, "first"] == pytest.approx(order_of(terms, group, total=False), abs=0.015)
        assert table.loc[name, "total"] == pytest.approx(order_of(terms, group, total=True), abs=0.015)


def test_what_is_not_chosen_makes_one_row_a_block() -> None:
    terms, blocks = g_variances(G), dict(zip([f"x{i}" for i in range(6)], "ppqqqr", strict=True))
    found = of_one(lambda u: g_function(u, G), 6, 4096, blocks=blocks, inputs=2)
    assert found.indices["input"].tolist() == ["x0", "x1", "3 others of q", "x5"]
    assert found.indices["parameters"].tolist() == [1, 1, 3, 1]
    row = by_input(found).loc["3 others of q"]
    assert row["total"] == pytest.approx(order_of(terms, [2, 3, 4], total=True), abs=0.01)
    none = of_one(lambda u: g_function(u, G), 6, 1024, blocks=blocks, inputs=0)
    assert none.indices["input"].tolist() == ["2 others of p", "3 others of q", "x5"]
    assert by_input(none).loc["2 others of p", "first"] == pytest.approx(order_of(terms, [0, 1], total=False), abs=0.02)


def test_several_outputs_share_the_evaluations_and_none_changes_another() -> None:
    seen = 0

    def both(u: Array) -> Array:
        nonlocal seen
        seen += len(u)
        return np.stack([g_function(u, G), u @ G])

    members = {f"x{i}": [i] for i in range(6)}
    found = indices_of(both, ["y", "z"], base_samples(6, 1024, 1), members, inputs=6)
    assert found.outputs["evaluations"].tolist() == [seen, seen] == [8 * 1024] * 2
    alone = by_input(of_one(lambda u: g_function(u, G), 6))
    columns = ["first", "total", "total_low", "total_high"]
    np.testing.assert_allclose(
        by_input(found, "y")[columns], alone.loc[by_input(found, "y").index, columns], atol=1e-12
    )


def test_second_order_is_the_closed_form_and_what_salib_finds_on_its_own_sample() -> None:
    from SALib.analyze import sobol as analysis
    from SALib.sample import sobol as sampling

    found = of_ishigami(2048, second=3).pairs
    terms = ishigami_variances()
    pairs = {frozenset(row[:2]): row[2] for row in found[["input", "other", "second"]].itertuples(index=False)}
    truth = {frozenset(("x1", "x3")): terms[0, 2] / sum(terms.values())}
    problem = {"num_vars": 3, "names": list(ISHIGAMI), "bounds": [[-np.pi, np.pi]] * 3}
    other = analysis.analyze(problem, ishigami(sampling.sample(problem, 2048, seed=5)), seed=5)["S2"]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        pair = frozenset((f"x{i + 1}", f"x{j + 1}"))
        assert pairs[pair] == pytest.approx(truth.get(pair, 0.0), abs=0.05)
        assert pairs[pair] == pytest.approx(other[i, j], abs=0.08)
    assert found.loc[0, ["input", "other"]].tolist() == ["x1", "x3"]
    assert found.loc[0, "second_low"] < truth[frozenset(("x1", "x3"))] < found.loc[0, "second_high"]


def independent(points: int, seed: int) -> tuple[Array, Array, Array]:
    """Values of Ishigami's function at points for which the bootstrap's assumption holds."""
    a, b = uniform(np.random.default_rng(seed).random((2, points, 3)))
    f = [ishigami(x)[None] for x in (a, b)]
    return *f, swapped_values(lambda x: ishigami(x)[None], a, b, [[0], [1], [2]])


def test_intervals_are_as_wide_as_those_of_scipy() -> None:
    f_a, f_b, f_ab = independent(512, 1)
    own = estimates(f_a, f_b, f_ab, ["y"])
    found = stats.sobol_indices(func={"f_A": f_a, "f_B": f_b, "f_AB": f_ab}, n=512)
    other = found.bootstrap(confidence_level=0.9, n_resamples=500)
    for (value, low, high), there, said in (
        (own.first, found.first_order, other.first_order),
        (own.total, found.total_order, other.total_order),
    ):
        np.testing.assert_allclose(value[:, 0], there)
        widths = said.confidence_interval.high - said.confidence_interval.low
        np.testing.assert_allclose((high - low)[:, 0], widths, rtol=0.2)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    terms, inside = ishigami_variances(), []
    for seed in range(60):
        found = estimates(*independent(256, seed), ["y"], prob=0.8)
        for i in range(3):
            for total, (_, low, high) in ((False, found.first), (True, found.total)):
                inside.append(low[i, 0] <= order_of(terms, [i], total) <= high[i, 0])
    assert np.mean(inside) == pytest.approx(0.8, abs=0.06)


def test_the_same_seed_gives_the_same_numbers() -> None:
    one, again, other = (of_ishigami(256, seed, second=2) for seed in (3, 3, 4))
    for table, repeated in zip(one, again, strict=True):
        pd.testing.assert_frame_equal(table, repeated)
    assert not one.indices["total"].equals(other.indices["total"])


# Censored, undefined and constant outputs


def censored(u: Array) -> Array:
    """u1 + u2 / 2, which never comes where u1 > 0.6."""
    return np.where(u[:, 0] > 0.6, np.inf, u[:, 0] + 0.5 * u[:, 1])


def brute_force(function: Callable[[Array], Array], size: int = 1500) -> tuple[Array, Array]:
    """First and total order of the ranks of a function of two uniforms, on a grid of all pairs."""
    nodes = (np.arange(size) + 0.5) / size
    values = function(np.stack(np.meshgrid(nodes, nodes, indexing="ij"), axis=-1).reshape(-1, 2))
    rank = stats.rankdata(values).reshape(size, size)
    parts = np.array([rank.mean(axis=1).var(), rank.mean(axis=0).var()]) / rank.var()
    return parts, 1.0 - parts[::-1]


def test_a_censored_output_enters_as_ranks() -> None:
    found, (first, total) = of_one(censored, 2, 4096), brute_force(censored)
    table = by_input(found).loc[["x0", "x1"]]
    np.testing.assert_allclose(table["first"], first, atol=0.01)
    np.testing.assert_allclose(table["total"], total, atol=0.01)
    assert found.outputs.loc[0, "scale"] == "rank"
    assert found.outputs.loc[0, "censored"] == pytest.approx(0.4, abs=0.01)


def test_scipy_alone_would_have_said_zero() -> None:
    a, b = base_samples(2, 1024, 1)
    with np.errstate(invalid="ignore"):
        silent = stats.sobol_indices(
            func={
                "f_A": censored(a)[None],
                "f_B": censored(b)[None],
                "f_AB": swapped_values(lambda u: censored(u)[None], a, b, [[0], [1]]),
            },
            n=1024,
        )
    assert silent.first_order.tolist() == [0.0, 0.0]


def test_ranks_do_not_care_how_an_output_is_counted() -> None:
    one, other = of_one(censored, 2), of_one(lambda u: -np.exp(5.0 * censored(u)), 2)
    columns = ["first", "total"]
    np.testing.assert_allclose(by_input(one)[columns], by_input(other)[columns], atol=1e-12)


def test_one_infinite_value_after_a_swap_makes_ranks_of_all() -> None:
    def rare(u: Array) -> Array:
        return np.where((u[:, 0] > 0.99) & (u[:, 1] > 0.99), np.inf, u.sum(axis=1))

    a, b = base_samples(2, 64, 1)
    a[:, 0], b[:, 0] = 0.5 * a[:, 0], 0.5 * b[:, 0]
    a[0, 0], a[0, 1], b[0, 1] = 0.995, 0.5, 0.995
    found = indices_of(lambda u: rare(u)[None], ["y"], (a, b), {"x0": [0], "x1": [1]})
    assert found.outputs.loc[0, ["scale", "censored"]].tolist() == ["rank", 0.0]


def test_an_event_stays_0_and_1() -> None:
    """P = 1/4 from two even chances: each alone explains 1/3, the rest is theirs together."""
    table = by_input(of_one(lambda u: (u > 0.5).all(axis=1).astype(float), 2, 4096))
    np.testing.assert_allclose(table["first"], 1.0 / 3.0, atol=0.02)
    np.testing.assert_allclose(table["total"], 2.0 / 3.0, atol=0.02)


def test_what_is_not_a_number_is_refused_by_name() -> None:
    with pytest.raises(ForecastError, match="'y' is not a number"):
        of_one(lambda u: np.where(u[:, 0] > 0.99, np.nan, u[:, 0]), 2)


def test_nothing_infinite_reaches_scipy() -> None:
    f_a, f_b, f_ab = independent(64, 1)
    f_ab[1, 0, 7] = np.inf
    with pytest.raises(ForecastError, match="'y' is not finite"):
        estimates(f_a, f_b, f_ab, ["y"])


def test_an_output_that_does_not_vary_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="'y' is the same at all points"):
        of_one(lambda u: np.zeros(len(u)), 2)


# Which inputs get a row


def chosen_of(function: Callable[[Array], Array], keep: int, columns: int = 40) -> set[str]:
    samples = base_samples(columns, 512, 1)
    base = tuple(function(u)[None] for u in samples)
    members = {f"x{i}": [i] for i in range(columns)}
    return set(leading(lambda u: function(u)[None], samples, base, members, keep, ["y"])[0])


def test_inputs_that_act_only_together_are_found() -> None:
    assert chosen_of(lambda u: (u[:, 7] - 0.5) * (u[:, 31] - 0.5), 2) == {"x7", "x31"}


def test_the_input_of_a_rare_event_is_found() -> None:
    assert chosen_of(lambda u: (u[:, 11] > 0.97).astype(float), 1) == {"x11"}


def test_no_evaluation_of_a_chosen_input_is_lost() -> None:
    members, samples = {f"x{i}": [i] for i in range(6)}, base_samples(6, 512, 1)
    function = lambda u: g_function(u, G)[None]  # noqa: E731
    names, values, spent = leading(function, samples, tuple(map(function, samples)), members, 2, ["y"])
    np.testing.assert_array_equal(values, swapped_values(function, *samples, [members[name] for name in names]))
    assert spent == 6 * 64 + 4 * (192 - 64) + 2 * (512 - 192)


# Through the priors


def columns_of_draws(run: xr.DataTree) -> tuple[Array, Callable[[Array], dict[str, object]]]:
    """The draws of a prior run as columns, shares broken down to what each break takes."""
    p, own = parameters_of(run), prior_inputs(read_provenance(run), 2026.8)
    parts = []
    for name in own.members:
        draws = np.asarray(p[name])
        left = 1.0 - np.cumsum(draws, axis=-1) + draws if draws.ndim > 1 else np.ones(draws.shape)
        parts.append((draws / left)[:, : len(own.members[name])] if draws.ndim > 1 else draws[:, None])
    return np.concatenate(parts, axis=1), prior_parameters(run, own)


def test_columns_make_the_parameters_that_sampling_the_prior_makes(prior_run: xr.DataTree) -> None:
    columns, parameters = columns_of_draws(prior_run)
    made, drawn = parameters(columns), parameters_of(prior_run)
    assert set(drawn) - set(made) == {"depth_family_variate"}
    for name in made:
        np.testing.assert_allclose(made[name], drawn[name], rtol=1e-9, err_msg=name)


ELICITED = """
[overlay]
description = "Research by its asymptotes."

[priors.infinite_compute_multiple]
distribution = "LogNormal"
interval = [100.0, 1e5]
lower = 1.1
units = "1"
source = ["judgement"]
rationale = "A test."
"""


def test_what_is_stated_instead_is_the_input_and_production_follows(tmp_path, observations: Observations) -> None:
    view = tmp_path / "elicited.toml"
    view.write_text(ELICITED)
    run = sample_prior(load_priors(overlays=[view]), observations, draws=40, chains=1, random_seed=2)
    members = prior_inputs(read_provenance(run), 2026.8).members
    assert "infinite_compute_multiple" in members and "compute_share" not in members
    columns, parameters = columns_of_draws(run)
    np.testing.assert_allclose(parameters(columns)["compute_share"], parameters_of(run)["compute_share"], rtol=1e-9)
    b, both = columns.copy(), [members["infinite_compute_multiple"][0], members["infinite_labour_multiple"][0]]
    b[:, both] = [5000.0, 15.0]
    np.testing.assert_allclose(parameters(b)["compute_share"], 0.689469, atol=1e-6)  # as in equations.research


def test_quantiles_of_sobol_points_are_the_priors(prior_run: xr.DataTree, priors: Priors) -> None:
    own = prior_inputs(read_provenance(prior_run), 2026.8)
    levels = base_samples(len(own.quantiles), 1024, 1)[0]
    columns = np.column_stack([f(u) for f, u in zip(own.quantiles, levels.T, strict=True)])
    made = prior_parameters(prior_run, own)(columns)
    weights = np.array(priors["loss_shares"].params["a"])
    mean = weights / weights.sum()
    np.testing.assert_allclose(made["loss_shares"].mean(axis=0), mean, atol=0.005)
    np.testing.assert_allclose(made["loss_shares"].var(axis=0), mean * (1.0 - mean) / (weights.sum() + 1.0), rtol=0.03)
    for name in set(own.members) - {"loss_shares"}:
        assert stats.kstest(made[name], priors[name].scipy(2026.8).cdf).pvalue > 0.99, name  # closer than chance


def test_fixed_parameters_and_unread_detail_are_no_inputs(prior_run: xr.DataTree) -> None:
    members = prior_inputs(read_provenance(prior_run), 2026.8).members
    assert not {"text_epochs", "taste_ceiling", "depth_family_variate", "compute_exponent"} & set(members)
    assert set(members) <= {name for block in PARAMETERS.values() for name in block}


def test_a_half_life_of_weeks_is_a_step_and_no_overflow(prior_run: xr.DataTree) -> None:
    """Practice changes logistically, so that run back to 2023 it is bounded: every centre is a compute of that time."""
    columns, parameters = columns_of_draws(prior_run)
    columns[:, prior_inputs(read_provenance(prior_run), 2026.8).members["overtraining_half_life"]] = 0.05
    p = parameters(columns)
    assert (p["effective_flop_centre"] > 15.0).all() and (p["effective_flop_centre"] < 30.0).all()
    found = evaluator(parsed_outputs(["year_100"]), float(p["as_of_year"]), years=range(2026, 2031))(p, len(columns))
    assert not np.isnan(found["year_100"]).any()


# Through the forecast

OUTPUTS = (*HEADLINES, "year_100<2035", "log10_world_flop_per_second@2026")


@pytest.fixture(scope="module")
def found(prior_run: xr.DataTree) -> SobolIndices:
    return sobol(prior_run, OUTPUTS, years=range(2026, 2036), inputs=4, second=2, points=128)


def test_world_compute_today_is_linear_in_two_normals(found: SobolIndices, prior_run: xr.DataTree) -> None:
    """Level N(21.8, 0.5) and 1.83 years of growth N(0.5, 0.2)."""
    years = float(prior_run["constant_data"]["as_of_year"]) - 2025.0
    level, growth = 0.5**2, (0.2 * years) ** 2
    table = by_input(found, "log10_world_flop_per_second@2026")
    top = table.loc[table["parameters"] == 1].index
    assert "log10_world_flop_per_second_2025" in top
    row = table.loc["log10_world_flop_per_second_2025"]
    assert row["first"] == pytest.approx(level / (level + growth), abs=0.05)
    assert row["total"] == pytest.approx(level / (level + growth), abs=0.05)


def test_what_an_output_cannot_read_has_no_share(found: SobolIndices) -> None:
    table = by_input(found, "log10_world_flop_per_second@2026")
    assert (table.loc[table["block"] != "compute", ["first", "total", "total_high"]] == 0.0).all(axis=None)


def test_first_orders_add_up_to_no_more_than_one_and_totals_lie_above(found: SobolIndices) -> None:
    assert (found.outputs["additive_low"] <= 1.0).all()
    assert (found.indices["first_low"] <= found.indices["total_high"]).all()
    assert (found.indices["total"] >= 0.0).all()


def test_censored_headlines_are_ranked_and_events_stay_events(found: SobolIndices) -> None:
    assert found.outputs["scale"].tolist() == ["rank", "rank", "event", "value"]
    assert found.outputs.loc[2, "censored"] == 0.0 < found.outputs.loc[1, "censored"]


def test_sentences_name_inputs_and_words_show_percent(found: SobolIndices) -> None:
    sentences, words = sobol_sentences(found), sobol_words(found)
    assert len(sentences) == len(OUTPUTS)
    leads = by_input(found, "takeoff_years").query("parameters == 1").sort_values("total", ascending=False).index[:3]
    assert all(name in sentences[1] for name in leads) and "interactions" in sentences[1]
    assert not any("others of" in sentence for sentence in sentences)
    assert words["With interactions"].str.contains("%").all()
    assert words["Output"].drop_duplicates().tolist() == list(OUTPUTS)


def test_a_fitted_run_gives_the_indices_of_its_prior(prior_run: xr.DataTree) -> None:
    """Other draws, same record: nothing changes."""
    other = prior_run.copy()
    other["posterior"] = xr.DataTree(prior_run["posterior"].to_dataset().isel(draw=slice(0, 5)))
    window = range(2026, 2030)
    one, again = (sobol(run, ["already_20"], years=window, inputs=0, second=0, points=64) for run in (prior_run, other))
    pd.testing.assert_frame_equal(one.indices, again.indices)


def test_posterior_draws_are_refused_and_the_right_method_named(prior_run: xr.DataTree) -> None:
    with pytest.raises(InputError, match=r"noise.*Shapley effects.*forecast\.sensitivity, forecast sensitivity RUN"):
        sobol(prior_run, on="posterior")
    with pytest.raises(InputError, match="on = 'data'"):
        sobol(prior_run, on="data")


def test_without_salib_the_remedy_comes_before_any_evaluation(
    prior_run: xr.DataTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "SALib.analyze.sobol", None)
    with pytest.raises(InputError, match=r"forecast\[sensitivity\].*second=0"):
        sobol(prior_run, points=2**20)


@pytest.mark.parametrize(
    "wrong", [{"points": 1000}, {"points": 32}, {"second": 1}, {"inputs": -1}, {"random_seed": -1}]
)
def test_a_wrong_number_is_said_before_any_evaluation(prior_run: xr.DataTree, wrong: dict[str, int]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        sobol(prior_run, **({"points": 2**20} | wrong))
