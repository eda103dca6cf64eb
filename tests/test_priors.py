"""Prior sets: reading, every kind of bad file with its place and remedy, overlays, replacement, digest."""

from __future__ import annotations

import math
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

import forecast.places
from forecast.documents import line_of
from forecast.errors import DataMissingError, InputError
from forecast.overlays import overlay_names, scenario_names
from forecast.places import priors_folder
from forecast.priors import check_priors, interval, load_priors
from forecast.schema import PARAMETERS

GOOD = """# depth
[priors.depth_exponent]
distribution = "Normal"
interval = [0.1, 0.3]
units = "1"
source = ["kaplan2020"]
rationale = "Why."

[sources.kaplan2020]
cite = "Kaplan et al. 2020"
locator = "section 3.1"

[overlay]
description = "A view."
references = ["kaplan2020"]
"""


@pytest.fixture
def view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An overlay file in the working folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "view.toml"
    path.write_text(GOOD, encoding="utf-8")
    return Path("view.toml")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the baseline set in the working folder."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(priors_folder() / "baseline", tmp_path / "mine")).relative_to(tmp_path)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path}"
    path.write_text(text.replace(old, new), encoding="utf-8")


# --- faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "place", "remedy"),
    [
        ("interval = [0.1, 0.3]", "interval = [0.6, 0.25]", "4: priors.depth_exponent.interval", "not [low, high]"),
        ("interval = [0.1, 0.3]", "interval = [nan, 0.3]", "4: priors.depth_exponent.interval", "finite"),
        ("interval = [0.1, 0.3]", "interval = [0.1, 0.3]\nmas = 0.8", "5: priors.depth_exponent.mas", "'mass'"),
        ("interval = [0.1, 0.3]", "interval = [0.1, 0.3]\nmass = 90", "5: priors.depth_exponent.mass", "0.90 for 90%"),
        ("interval = [0.1, 0.3]", "value = 0.2", "3: priors.depth_exponent.distribution", "drop one of the two"),
        ("interval = [0.1, 0.3]\n", "", "2: priors.depth_exponent.params", "exactly one of params"),
        (
            "interval = [0.1, 0.3]",
            "params = { mu = 0.2, sigm = 0.1 }",
            "4: priors.depth_exponent.params",
            "did you mean 'sigma'",
        ),
        (
            "interval = [0.1, 0.3]",
            "params = { mu = 0.2, sigma = -0.1 }",
            "4: priors.depth_exponent.params",
            "positive number",
        ),
        ('"Normal"', '"LogNormall"', "3: priors.depth_exponent.distribution", "did you mean 'LogNormal'"),
        (
            '"Normal"\ninterval = [0.1, 0.3]',
            '"LogNormal"\ninterval = [-0.1, 0.3]',
            "4: priors.depth_exponent.interval",
            "outside the support",
        ),
        (
            '"Normal"\ninterval = [0.1, 0.3]',
            '"Dirichlet"\nparams = { a = [1.0, 1.0] }',
            "3: priors.depth_exponent.distribution",
            "single numbers",
        ),
        ('distribution = "Normal"\n', "", "2: priors.depth_exponent.distribution", "PyMC class name"),
        ('units = "1"\n', "", "2: priors.depth_exponent.units", 'add units = "..."'),
        ('units = "1"', 'units = "layers"', "5: priors.depth_exponent.units", "convert to '1'"),
        ('units = "1"', "units = 1", "5: priors.depth_exponent.units", "put it in quotes"),
        ('source = ["kaplan2020"]\n', "", "2: priors.depth_exponent.source", "at least one source"),
        ('source = ["kaplan2020"]', "source = []", "6: priors.depth_exponent.source", '["judgement"]'),
        ('source = ["kaplan2020"]', 'source = "x"', "6: priors.depth_exponent.source", "write source = ["),
        ('source = ["kaplan2020"]', 'source = ["kaplan"]', "6: priors.depth_exponent.source", "add [sources.kaplan]"),
        (
            'source = ["kaplan2020"]\nrationale = "Why."',
            'source = ["judgement"]',
            "2: priors.depth_exponent.rationale",
            "its reason in one sentence",
        ),
        ("priors.depth_exponent", "priors.depth_exponnt", "2: priors.depth_exponnt", "did you mean 'depth_exponent'"),
        ('cite = "Kaplan et al. 2020"\n', "", "9: sources.kaplan2020.cite", "add cite"),
        ('cite = "Kaplan et al. 2020"', 'cit = "K"', "10: sources.kaplan2020.cit", "did you mean 'cite'"),
        ("[sources.kaplan2020]", "[source.kaplan2020]", "9: source", "did you mean 'sources'"),
        ('description = "A view."\n', "", "13: overlay.description", "add description"),
        ('references = ["kaplan2020"]', 'references = ["x"]', "15: overlay.references", "add [sources.x]"),
        ('references = ["kaplan2020"]', "references = 1", "15: overlay.references", "is not a list"),
        ("[overlay]", "[settings]\nfreeze = true\n[overlay]", "14: settings.freeze", "did you mean 'freeze_compute'"),
        ("[overlay]", "[settings]\nfreeze_compute = 1\n[overlay]", "14: settings.freeze_compute", "true or false"),
        (
            "[overlay]",
            "[settings]\nhardware_leap_factor = 0.5\n[overlay]",
            "14: settings.hardware_leap_factor",
            "factor of 1 or more",
        ),
        ("# depth", "settings = 1", "1: settings", "write [settings]"),
        ("interval = [0.1, 0.3]", "interval = [0.1,, 0.3]", "4: syntax", "correct the TOML"),
        ("# depth", "[priors.depth_exponent]\nvalue = 1", "3: syntax", "Cannot declare"),
        ("[priors.depth_exponent]", "[priors]\nx = 1\n[priors.depth_exponent]", "3: priors.x", "write [priors.x]"),
    ],
)
def test_a_fault_names_file_line_key_and_remedy(view: Path, old: str, new: str, place: str, remedy: str) -> None:
    edit(view, old, new)
    faults = check_priors(view)
    assert any(fault.startswith(f"view.toml:{place}: ") and remedy in fault for fault in faults), faults
    with pytest.raises(InputError) as caught:
        load_priors(overlays=[view])
    assert str(caught.value).splitlines() == faults


def test_all_faults_are_reported_at_once(view: Path) -> None:
    edit(view, "interval = [0.1, 0.3]", "interval = [0.3, 0.1]\ncolour = 1")
    edit(view, 'units = "1"', 'units = "m"')
    edit(view, 'source = ["kaplan2020"]', 'source = ["x", "y"]')
    edit(view, 'locator = "section 3.1"\n', "")
    assert [fault.split(": ")[0] for fault in check_priors(view)] == [
        f"view.toml:{line}" for line in (4, 5, 6, 7, 7, 10)
    ]


def test_a_file_that_is_not_utf8_is_named(view: Path) -> None:
    view.write_bytes(b'[overlay]\ndescription = "\xff"')
    assert check_priors(view) == ["view.toml:1: file: is not UTF-8 text: save it as UTF-8"]


def test_a_byte_order_mark_and_windows_line_ends_are_read(view: Path) -> None:
    view.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert check_priors(view) == []


def test_a_symbolic_link_is_refused(view: Path) -> None:
    Path("link.toml").symlink_to(view)
    assert check_priors("link.toml") == ["link.toml:1: file: is a symbolic link: put the file itself there"]


def test_an_overlay_without_its_table_is_refused(view: Path) -> None:
    view.write_text("", encoding="utf-8")
    assert check_priors(view) == ['view.toml:1: overlay: is missing: add [overlay] with description = "..."']


def test_endless_nesting_is_a_fault_not_a_crash(view: Path) -> None:
    view.write_text("x = " + "[" * 100_000, encoding="utf-8")
    assert len(check_priors(view)) == 1


def test_a_path_outside_the_working_folder_is_printed_whole(view: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = view.absolute()
    edit(view, 'units = "1"', 'units = "m"')
    monkeypatch.chdir(path.root)
    monkeypatch.chdir(priors_folder())
    assert check_priors(path)[0].startswith(f"{path.as_posix()}:5: ")


# --- sets ------------------------------------------------------------------------------------------------------------


def test_a_copied_set_has_the_digest_of_the_original(folder: Path) -> None:
    assert check_priors(folder) == []
    assert load_priors(folder).digest == load_priors().digest


def test_a_missing_parameter_is_named_with_its_file(folder: Path) -> None:
    edit(folder / "depth_scaling.toml", "[priors.layers_variate]", "[priors.depth_variate]")
    faults = check_priors(folder)
    assert len(faults) == 2
    assert "priors.depth_variate: is no parameter of block depth_scaling; did you mean" in faults[0]
    assert faults[1].startswith("mine/depth_scaling.toml:1: priors.layers_variate: is missing: copy")


def test_a_file_that_cannot_be_read_hides_no_other_fault(folder: Path) -> None:
    edit(folder / "depth_scaling.toml", "mu = 0.25", "mu = ")
    (folder / "takeoff.toml").unlink()
    faults = check_priors(folder)
    assert faults[0].startswith("mine/depth_scaling.toml:5: syntax: ")
    assert len(faults) == 1 + len(PARAMETERS["takeoff"])


def test_one_name_in_two_files_is_refused_at_the_second(folder: Path) -> None:
    text = GOOD.split("[overlay]", maxsplit=1)[0].replace("depth_exponent", "elephants")
    (folder / "ark.toml").write_text(text, encoding="utf-8")
    (folder / "zoo.toml").write_text(text.replace("kaplan2020", "other2020"), encoding="utf-8")
    (fault,) = [line for line in check_priors(folder) if "elephants" in line]
    assert fault.startswith("mine/zoo.toml:2: priors.elephants: stands already in mine/ark.toml:")
    assert fault.endswith("remove one")


def test_a_parameter_in_the_wrong_file_is_sent_home(folder: Path) -> None:
    source = folder / "algorithmic_progress.toml"
    moved = "[priors.software_study_scale]" + source.read_text().split("[priors.software_study_scale]")[1]
    (folder / "zoo.toml").write_text(moved.split("[sources", maxsplit=1)[0], encoding="utf-8")
    edit(source, moved.split("[sources", maxsplit=1)[0], "")
    (fault,) = check_priors(folder)
    assert "belongs to block algorithmic_progress: move it to algorithmic_progress.toml" in fault


def test_the_shares_of_the_loss_are_three(folder: Path) -> None:
    edit(folder / "sample_efficiency.toml", "a = [2.0, 1.0, 1.0]", "a = [2.0, 1.0]")
    (fault,) = check_priors(folder)
    assert "priors.loss_shares.params: a has 2 numbers: give 3" in fault


def test_a_set_may_hold_blocks_of_its_own(folder: Path) -> None:
    text = GOOD.split("[overlay]", maxsplit=1)[0].replace("depth_exponent", "moon_phase")
    (folder / "zoo.toml").write_text(text.replace("kaplan2020", "other2020"), encoding="utf-8")
    assert list(load_priors(folder).block("zoo")) == ["moon_phase"]


def test_one_key_for_two_works_is_refused_within_a_set(folder: Path) -> None:
    text = GOOD.split("[overlay]", maxsplit=1)[0].replace("depth_exponent", "moon_phase")
    (folder / "zoo.toml").write_text(text, encoding="utf-8")
    (fault,) = check_priors(folder)
    assert fault.startswith("mine/zoo.toml:10: sources.kaplan2020.cite: means another work")
    assert fault.endswith("rename one key")


def test_a_folder_that_is_not_there_names_the_known_sets(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder of prior files.*did you mean 'baseline'"):
        load_priors("baselin")
    with pytest.raises(InputError, match=r"holds no \.toml file"):
        load_priors(tmp_path)


def test_an_installation_without_priors_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(forecast.places, "__file__", str(tmp_path / "forecast" / "places.py"))
    with pytest.raises(DataMissingError, match="install it again"):
        load_priors()


def test_priors_are_found_inside_an_installed_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    digest = load_priors().digest
    shutil.copytree(priors_folder(), tmp_path / "forecast" / "_priors")
    monkeypatch.setattr(forecast.places, "__file__", str(tmp_path / "forecast" / "places.py"))
    assert priors_folder() == (tmp_path / "forecast" / "_priors").resolve()
    assert load_priors().digest == digest


# --- overlays --------------------------------------------------------------------------------------------------------


def test_an_overlay_replaces_the_entry_and_nothing_else(view: Path) -> None:
    baseline, changed = load_priors(), load_priors(overlays=[view])
    assert changed["depth_exponent"].quantile([0.05, 0.95]) == pytest.approx([0.1, 0.3])
    assert changed["depth_exponent"].block == "depth_scaling"
    assert (changed["depth_exponent"].file, changed["depth_exponent"].line) == ("view.toml", 2)
    assert list(changed) == list(baseline)
    assert [name for name in baseline if changed[name] != baseline[name]] == ["depth_exponent"]
    assert changed.overlays == ("A view.",)


def test_the_last_overlay_wins(view: Path) -> None:
    second = Path("second.toml")
    second.write_text(GOOD.replace("[0.1, 0.3]", "[0.2, 0.4]"), encoding="utf-8")
    assert load_priors(overlays=[view, second])["depth_exponent"].statement["interval"] == [0.2, 0.4]
    assert load_priors(overlays=[second, view])["depth_exponent"].statement["interval"] == [0.1, 0.3]


def test_an_overlay_of_an_extra_block_keeps_its_unit(view: Path) -> None:
    view.write_text(GOOD.replace("depth_exponent", "slow_quality").replace('units = "1"', 'units = "m"'))
    (fault,) = check_priors(view)
    assert fault == "view.toml:5: priors.slow_quality.units: 'm' is not the unit of this parameter: convert to '1'"


def test_a_source_keeps_every_locator(view: Path) -> None:
    text = GOOD.replace("Kaplan et al. 2020", load_priors().sources["kaplan2020"].cite)
    view.write_text(text.replace("section 3.1", "table 1"), encoding="utf-8")
    assert load_priors(overlays=[view]).sources["kaplan2020"].locator == "section 3.1; table 1"


def test_an_overlay_may_word_a_source_in_its_own_way(view: Path) -> None:
    assert load_priors(overlays=[view]).sources["kaplan2020"].cite == "Kaplan et al. 2020"


def test_software_only_is_a_setting_not_a_prior() -> None:
    baseline, scenario = load_priors(), load_priors(overlays="software_only")
    assert scenario.settings == {"freeze_compute": True}
    assert baseline.settings == {}
    assert scenario.digest == baseline.digest


def test_an_unknown_scenario_lists_the_known_ones() -> None:
    with pytest.raises(
        InputError, match=r"'software_onyl'; did you mean 'software_only'\?; known: .*baseline"
    ) as caught:
        load_priors(overlays=["software_onyl"])
    assert all(name in str(caught.value) for name in scenario_names())
    with pytest.raises(InputError, match="no such overlay file"):
        load_priors(overlays=["nowhere/x.toml"])


def test_scenarios_are_among_the_overlays() -> None:
    assert {"baseline", "software_only"} <= set(scenario_names()) <= set(overlay_names())


# --- the mapping -----------------------------------------------------------------------------------------------------


def test_replace_keeps_name_block_and_unit() -> None:
    priors = load_priors().replace(depth_exponent=interval("Normal", 0.1, 0.3), taste_ceiling=10.0, returns=1)
    depth = priors["depth_exponent"]
    assert (depth.name, depth.block, depth.units, depth.source) == (
        "depth_exponent",
        "depth_scaling",
        "1",
        ("judgement",),
    )
    assert priors["taste_ceiling"].params == {"value": 10.0}
    assert priors["returns"].distribution == "fixed"
    assert load_priors()["taste_ceiling"].params == {"value": 20.0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depth_exponnt": 0.2}, "did you mean 'depth_exponent'"),
        ({"returns": -1.0}, r"cannot be fixed at -1: its values lie in \(0, inf\)"),
        ({"compute_share": 1.5}, r"its values lie in \(0, 1\)"),
        ({"returns": math.nan}, "give a finite number"),
        ({"returns": "one"}, "is not a number"),
        ({"loss_shares": interval("Normal", 0, 1)}, "keep the shape"),
    ],
)
def test_a_replacement_that_cannot_be_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_priors().replace(**change)  # type: ignore[arg-type]


def test_the_digest_moves_with_numbers_and_not_with_words(folder: Path) -> None:
    before = load_priors(folder).digest
    edit(folder / "depth_scaling.toml", "Between nearly constant depth", "Somewhere between constant depth")
    assert load_priors(folder).digest == before
    edit(folder / "depth_scaling.toml", "mu = 0.25", "mu = 0.26")
    assert load_priors(folder).digest != before
    assert load_priors().replace(taste_ceiling=21.0).digest != load_priors().digest


def test_the_digest_does_not_see_how_a_distribution_was_stated() -> None:
    stated = load_priors()["returns"]
    sigma = math.log(2.5) / 1.6448536269514722
    same = interval("LogNormal", math.exp(-sigma), math.exp(sigma), mass=0.6826894921370859)
    assert load_priors().replace(returns=same).digest == load_priors().digest
    assert stated.params["sigma"] == pytest.approx(sigma, rel=1e-12)


def test_block_holds_its_parameters_and_refuses_others() -> None:
    priors = load_priors()
    assert set(priors.block("task_horizon")) == set(PARAMETERS["task_horizon"])
    with pytest.raises(InputError, match="did you mean 'takeoff'"):
        priors.block("take_off")


def test_a_frame_has_one_row_per_parameter() -> None:
    frame = load_priors().to_frame(as_of=2026.83).set_index("name")
    assert frame.loc["training_utilization_2023", ["q05", "q95"]].tolist() == pytest.approx([0.2, 0.6])
    assert frame.loc["text_epochs", ["q05", "q50", "q95"]].tolist() == [4.0, 4.0, 4.0]
    assert frame.loc["depth_exponent", "source"] == "kaplan2020, levine2020, finnveden2023"
    assert list(frame.columns) == [
        "block",
        "distribution",
        "params",
        "q05",
        "q50",
        "q95",
        "units",
        "source",
        "rationale",
    ]
    assert np.isfinite(frame["q50"].drop("loss_shares").astype(float)).all()
    assert np.isnan(load_priors().to_frame().set_index("name").loc["slowdown_year", "q50"])


def test_a_set_travels_to_another_process_unchanged() -> None:
    priors = load_priors(overlays=["software_only"])
    copy = pickle.loads(pickle.dumps(priors))
    assert copy == priors
    assert (copy.digest, hash(copy)) == (priors.digest, hash(priors))


# --- the line finder -------------------------------------------------------------------------------------------------

TEXT = """# [priors.a]
top = 1
[priors.a]  # first
units = "1"
interval = [
  0.1,
  0.3,
]

[ priors . b ]
"units" = "m"
[priors.b.params]
mu = 1
[priors."c"]
units = "s"
"""


@pytest.mark.parametrize(
    ("table", "key", "line"),
    [
        ("", "top", 2),
        ("priors.a", "", 3),
        ("priors.a", "units", 4),
        ("priors.a", "interval", 5),
        ("priors.a", "absent", 3),
        ("priors.b", "units", 11),
        ("priors.b", "params", 12),
        ("priors", "b", 10),
        ("priors.c", "units", 15),
        ("priors.z", "units", 1),
        ("", "priors", 3),
    ],
)
def test_line_of_is_the_first_match_under_the_header(table: str, key: str, line: int) -> None:
    assert line_of(TEXT, table, key) == line
