"""What a check says of a run, in numbers and in words, and what the command prints; draws without a fit, told to be one."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner, Result

from forecast.cli.check import check as command
from forecast.errors import ConvergenceError, InputError
from forecast.evaluation.checks import FALSE_SHARE, Checks, bfmi, check, corrected, fitted_tables
from forecast.evaluation.checks_words import SEVERITIES, findings, verdict
from forecast.observations import Observations
from forecast.runs import read_provenance, save_run, with_provenance
from forecast.side_draws import thinned
from forecast.views import apply_view


@pytest.fixture(scope="module")
def checks(seen: xr.DataTree) -> Checks:
    return check(seen)


@pytest.fixture(scope="module")
def file(seen: xr.DataTree, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_run(seen, tmp_path_factory.mktemp("seen") / "run.nc")


def call(*args: str) -> Result:
    return CliRunner().invoke(command, args)


# What is found


def test_the_gate_alone_decides_and_raises(checks: Checks) -> None:
    assert not checks.passed
    assert checks.failures() == checks.gate.failures()
    with pytest.raises(ConvergenceError, match="1 divergent transitions"):
        checks.raise_if_failed()


def test_every_failed_criterion_is_a_finding_that_fails(checks: Checks) -> None:
    fails = checks.findings[checks.findings["severity"] == "fails"]
    assert len(fails) == len(checks.failures()) >= 1
    assert (fails["kind"] == "sampling").all()


def test_findings_come_with_the_gravest_first_each_with_a_remedy(checks: Checks) -> None:
    assert checks.findings.columns.to_list() == ["kind", "where", "severity", "finding", "remedy"]
    grades = [SEVERITIES.index(severity) for severity in checks.findings["severity"]]
    assert grades == sorted(grades)
    assert checks.findings["remedy"].str.len().min() > 20
    assert checks.findings["finding"].str.endswith(".").all()


def test_draws_of_the_prior_are_not_calibrated_to_the_tables(checks: Checks) -> None:
    said = checks.findings[checks.findings["kind"].isin(["pit", "loo", "predictive"])]
    assert "chinchilla_losses" in set(said["where"])


def test_every_table_has_its_leave_one_out_and_its_calibration(checks: Checks, observations: Observations) -> None:
    judged = set(checks.pit["table"])
    assert {"architectures", "world_compute", "research_staff", "conditions"} <= judged
    assert set(checks.loo["table"]) == judged | {"all tables"}
    assert set(checks.predictive["table"]) == judged
    assert checks.loo.set_index("table").loc["architectures", "rows"] == observations["architectures"].sizes["row"]


def test_energy_is_judged_by_chain_as_its_definition_says(seen: xr.DataTree, checks: Checks) -> None:
    energy = seen["sample_stats"]["energy"].values
    expected = [(np.diff(e) ** 2).mean() / e.var(ddof=1) for e in energy]
    np.testing.assert_allclose(bfmi(seen), expected)
    shown = checks.sampling[checks.sampling["criterion"].str.startswith("E-BFMI")]
    np.testing.assert_allclose(shown["value"], expected)
    assert not shown["gate"].any()


def test_a_sluggish_chain_is_a_finding_but_no_failure(seen: xr.DataTree) -> None:
    slow = seen.copy()
    stats_of = seen["sample_stats"].to_dataset()
    slow["sample_stats"] = xr.DataTree(stats_of.assign(energy=stats_of["energy"].cumsum("draw")))
    found = check(slow).findings
    said = found[found["finding"].str.contains("E-BFMI")]
    assert (said["severity"] == "look").all() and len(said) == seen["sample_stats"].sizes["chain"]


def test_q_values_are_benjamini_and_hochbergs_over_all_tests_together() -> None:
    pit = pd.DataFrame({"p_value": [0.04, np.nan], "p_extreme": [0.5, 0.001]})
    predictive = pd.DataFrame({"p_value": [0.9, 0.02]})
    found, other = corrected(pit, predictive)
    p = np.array([0.04, 0.5, 0.001, 0.9, 0.02])
    order = np.sort(p)
    expected = {x: min(1.0, min(order[j] * 5 / (j + 1) for j in range(i, 5))) for i, x in enumerate(order)}
    assert found["q_value"].iloc[0] == pytest.approx(expected[0.04]) and np.isnan(found["q_value"].iloc[1])
    assert found["q_extreme"].tolist() == pytest.approx([expected[0.5], expected[0.001]])
    assert other["q_value"].tolist() == pytest.approx([expected[0.9], expected[0.02]])


def test_statistics_of_all_tables_are_found_where_they_are(checks: Checks) -> None:
    about = checks.predictive.set_index(["table", "statistic", "about"]).index
    for wanted in [
        ("architectures", "clusters", "family"),
        ("architectures", "scatter grows", "params"),
        ("training_runs", "clusters", "rank"),
        ("training_runs", "trend", "year"),
        ("run_durations", "trend", "training_flop"),
        ("chinchilla_losses", "step", "tokens"),
        ("research_staff", "largest distance", ""),
    ]:
        assert wanted in about
    assert checks.predictive["p_value"].between(0.0, 1.0).all()


def test_the_words_of_every_statistic_can_be_said() -> None:
    rows = [
        ("largest distance", "", 4.0, 2.9),
        ("largest distance", "", 1.0, 2.9),
        ("share in the tails", "", 0.3, 0.1),
        ("trend", "year", 3.0, 0.0),
        ("scatter grows", "params", -3.0, 0.0),
        ("bend", "tokens", -3.0, 0.0),
        ("step", "params", 5.0, 2.0),
        ("clusters", "family", 0.6, 0.2),
    ]
    names = ["statistic", "about", "observed", "expected"]
    fixed = {"table": "t", "rows": 9, "p_value": 1e-4, "q_value": 1e-3, "effect": 0.5}
    who = {"culprit": "Pythia", "culprit_mean": -1.2, "culprit_rows": 3}
    table = pd.DataFrame([dict(zip(names, row, strict=True)) | fixed | who for row in rows])
    said = findings(
        *(pd.DataFrame({"passed": []}, dtype=bool), pd.DataFrame(), pd.DataFrame()), table, pd.DataFrame(), 0.1
    )
    text = " ".join(said["finding"])
    for words in (
        "4.0 standard deviations out",
        "No row lies more than 1.0",
        "ever higher",
        "with time",
        "shrinks",
        "2.0 times",
    ):
        assert words in text
    assert "The 3 rows with params Pythia lie 1.2 standard deviations low" in text
    assert (said["severity"] == "look").all()


def test_the_verdict_counts(checks: Checks) -> None:
    found = checks.findings
    assert f"{(found['severity'] == 'look').sum()} findings to look at" in checks.verdict
    assert "did NOT converge" in checks.verdict
    calm = verdict(checks.gate, found.iloc[:0], 100, FALSE_SHARE)
    assert "no findings to look at and no notes" in calm


# What is refused


def test_a_run_of_the_prior_has_nothing_to_check(prior_run: xr.DataTree) -> None:
    with pytest.raises(InputError, match="there is no sampler to check"):
        check(prior_run)


def test_a_run_seen_through_a_view_or_thinned_is_not_the_one_that_was_fitted(seen: xr.DataTree) -> None:
    with pytest.raises(InputError, match="seen through a view"):
        check(apply_view(seen, "davidson2023"))
    with pytest.raises(InputError, match="thinned"):
        check(thinned(seen, 100))


def test_a_run_whose_tables_are_not_at_hand_says_which(seen: xr.DataTree, observations: Observations) -> None:
    record = read_provenance(seen)
    digests = record["digests"] | {"tables": record["digests"]["tables"] | {"hardware": "other"}}
    other = with_provenance(seen.copy(), record | {"digests": digests})
    with pytest.raises(InputError, match=r"others \(hardware\)"):
        fitted_tables(other)
    assert set(fitted_tables(seen).tables) == set(observations.tables)


# What the command prints


def test_the_command_prints_verdict_findings_and_tables_and_exits_3(file: Path) -> None:
    found = call(str(file), "--quiet")
    assert found.exit_code == 3, found.output
    assert found.stdout.startswith(f"{file}: The sampler did NOT converge")
    for words in ("FAILS", "LOOK AT", "Sampler:", "Leave-one-out", "Calibration", "Posterior predictive", "Coherence:"):
        assert words in found.stdout
    assert found.stderr == ""


def test_json_holds_everything_and_nothing_else(file: Path, checks: Checks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecast.evaluation.checks.check", lambda run: checks)
    found = call(str(file), "--json", "--quiet")
    assert found.exit_code == 3
    said = json.loads(found.stdout)
    assert said["passed"] is False and said["gate"]["divergences"] == 1
    for name in ("coherence", "findings", "sampling", "loo", "influential", "pit", "predictive", "guards"):
        assert isinstance(said[name], list)


def test_csv_holds_the_findings(file: Path, checks: Checks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecast.evaluation.checks.check", lambda run: checks)
    found = call(str(file), "--csv", "--quiet")
    assert found.exit_code == 3
    table = pd.read_csv(io.StringIO(found.stdout))
    assert table.columns.to_list() == ["kind", "where", "severity", "finding", "remedy"]


def test_json_and_csv_exclude_each_other(file: Path) -> None:
    assert call(str(file), "--json", "--csv").exit_code == 2
