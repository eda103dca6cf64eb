"""SWEEP.toml: what a grid and a list mean, and every fault at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecast.errors import InputError
from forecast.sweeps.plans import LEVELS, TEMPLATE, Case, read_plan


def written(folder: Path, text: str) -> Path:
    file = folder / "sweep.toml"
    file.write_text(text)
    return file


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_plan(written(folder, text))
    lines = str(caught.value).splitlines()
    assert all("sweep.toml:" in line for line in lines)
    return [line.partition("sweep.toml:")[2] for line in lines]


def test_a_grid_is_every_combination(tmp_path: Path) -> None:
    plan = read_plan(
        written(
            tmp_path,
            """
            run = "out/run.nc"
            [grid]
            scenarios = ["baseline", "software_only"]
            views = ["", ["davidson2023", "finnveden2023"]]
            sets = ["", "depth_exponent=0.15"]
            """,
        )
    )
    both, own = ("davidson2023", "finnveden2023"), ("depth_exponent=0.15",)
    scenarios = ("baseline", "software_only")
    expected = {Case(scenario, views, sets) for scenario in scenarios for views in ((), both) for sets in ((), own)}
    assert set(plan.cases) == expected and len(plan.cases) == 8
    assert plan.run == tmp_path / "out/run.nc"  # beside the file, wherever it is read from
    assert plan.levels == LEVELS and plan.years is None and plan.horizon_form == "exponential"


def test_what_a_grid_leaves_out_is_the_run_as_it_is(tmp_path: Path) -> None:
    assert read_plan(written(tmp_path, "[prior]\n[grid]")).cases == (Case("baseline"),)


def test_a_rival_form_stands_once_for_all_scenarios(tmp_path: Path) -> None:
    text = '[prior]\n[grid]\nscenarios = ["baseline", "software_only"]\nforms = ["section5", "kwa2026"]'
    cases = read_plan(written(tmp_path, text)).cases
    assert [(case.scenario, case.form) for case in cases if case.form == "kwa2026"] == [("", "kwa2026")]
    assert len(cases) == 3


def test_a_list_has_its_cases_in_order(tmp_path: Path) -> None:
    text = """
        [prior]
        draws = 50
        [settings]
        years = "2026:2030"
        levels = [0.025, 0.5, 0.975]
        horizon_form = "superexponential"
        [[case]]
        scenario = "software_only"
        view = "davidson2023"
        [[case]]
        form = "trend"
        set = ["depth_exponent=0.15", "training_days=90d"]
        preset = "low"
    """
    plan = read_plan(written(tmp_path, text))
    assert plan.cases == (
        Case("software_only", ("davidson2023",)),
        Case("baseline", (), ("depth_exponent=0.15", "training_days=90d"), "low", "trend"),
    )
    assert (plan.years, plan.levels) == ((2026, 2027, 2028, 2029, 2030), (0.025, 0.5, 0.975))
    assert (plan.prior["draws"], plan.prior["chains"], plan.horizon_form) == (50, 4, "superexponential")


def test_a_view_by_path_lies_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.toml").write_text(
        '[overlay]\ndescription = "mine"\n[priors.depth_exponent]\nvalue = 0.2\nunits = "1"\n'
        'source = ["judgement"]\nrationale = "a test"\n'
    )
    file = written(tmp_path, '[prior]\n[grid]\nviews = ["mine.toml"]')
    monkeypatch.chdir("/")
    (case,) = read_plan(file).cases
    assert case.views == ("mine.toml",)
    assert case.overlays[0].entries["depth_exponent"].params == {"value": 0.2}


def test_the_template_has_every_key_and_can_be_read() -> None:
    assert len(read_plan(TEMPLATE).cases) == 8


def test_all_faults_are_said_at_once_with_their_lines(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        """run = 3
extra = 1
[settings]
years = "2045:2026"
levels = [0.5, 0.1]
horizon_form = "linear"
year = 2
[grid]
scenarios = ["software_onyl"]
views = ["davidson2032", 4]
sets = ["depth_exponent=fast", "nothing"]
presets = ["lowest"]
forms = "section5"
view = ""
""",
    )
    starts = [
        "1: run: 3 is no path",
        "2: extra: unknown key",
        "4: settings.years: '2045:2026' is no range of years",
        "5: settings.levels: [0.5, 0.1] are no quantile levels",
        "6: settings.horizon_form: no task-horizon form named 'linear'",
        "7: settings.year: unknown key; did you mean 'years'?",
        "9: grid.scenarios: no scenario named 'software_onyl'; did you mean 'software_only'?",
        "10: grid.views: no scenario or view named 'davidson2032'; did you mean 'davidson2023'?",
        "10: grid.views: 4 is no text nor a list of texts: put it in quotes",
        "11: grid.sets: set 'depth_exponent=fast'",
        "11: grid.sets: set 'nothing'",
        "12: grid.presets: no preset named 'lowest'",
        "13: grid.forms: 'section5' is no list",
        "14: grid.view: unknown key; did you mean 'views'?",
    ]
    assert len(found) == len(starts)
    assert all(line.startswith(start) for line, start in zip(found, starts, strict=True)), found


def test_faults_of_a_list_name_the_case_and_its_line(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        """[prior]
draws = 0
seed = 1.5
[[case]]
form = "trend"
[[case]]
scenario = "baseline"
form = "ai2027"
[[case]]
form = "trend"
[[case]]
vew = "davidson2023"
""",
    )
    starts = [
        "2: prior.draws: 0 cannot be used",
        "3: prior.seed: 1.5 cannot be used",
        "7: case 2.scenario: the form ai2027 knows no scenarios",
        "9: case 3: is the same as case 1",
        "12: case 4.vew: unknown key; did you mean 'view'?",
    ]
    assert [line.startswith(start) for line, start in zip(found, starts, strict=True)] == [True] * 5, found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[prior]", "a sweep has either [grid] or some [[case]]"),
        ("[prior]\n[grid]\n[[case]]", "a sweep has either [grid] or some [[case]]"),
        ('run = "run.nc"\n[prior]\n[grid]', "stands beside run"),
        ("[grid]", "run: is missing"),
        ("prior = 1\n[grid]", "is not a table: write [prior]"),
        ("[prior]\n[case]\nx = 1", "is no list of tables: write [[case]]"),
        ("[prior]\n[grid]\nviews = []", "is no list"),
        ('[prior]\n[grid]\nviews = ["software_only"]', "give it with --scenario"),
        ("[prior]\n[grid]\nscenarios = [[]]", "put it in quotes"),
        ("[settings]\nlevels = [0.5, 0.55555]\n[prior]\n[grid]", "three digits at most"),
        ("[prior\n", "correct the TOML of this line"),
    ],
)
def test_each_fault_has_its_remedy(tmp_path: Path, text: str, said: str) -> None:
    assert any(said in line for line in faults(tmp_path, text))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_plan(tmp_path / "none.toml")
