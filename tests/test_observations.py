"""Loading the tables: what is refused and where it says so, the cut by date, digests, one's own tables."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest

from forecast.errors import DataMissingError, InputError
from forecast.observations import SHIPPED, check_observations, load_observations, load_settings
from forecast.rows import TABLES
from forecast.table_files import did_you_mean

type Edit = Callable[[list[list[str]]], None]


def read_records(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def edited(folder: Path, table: str, edit: Edit) -> Path:
    """Copy a shipped table into the folder with one change; record i stands on line i + 1."""
    records = read_records(SHIPPED / f"{table}.csv")
    edit(records)
    path = folder / f"{table}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(records)
    return path


def put(column: str, value: str, line: int = 2) -> Edit:
    def edit(records: list[list[str]]) -> None:
        records[line - 1][records[0].index(column)] = value

    return edit


def faults_of(folder: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_observations(folder)
    faults = str(caught.value).splitlines()
    assert faults == check_observations(folder)
    return faults


BAD_CELLS = [
    ("training_runs", "training_flop", "a lot", "'a lot' is not a number (write digits"),
    ("training_runs", "training_flop", "1,000", "'1,000' is not a number"),
    ("training_runs", "training_flop", "nan", "'nan' is not finite"),
    ("training_runs", "training_flop", "inf", "'inf' is not finite"),
    ("training_runs", "training_flop", "-1e24", "-1e24 is too small: above 0 needed"),
    ("training_runs", "training_flop", "0", "0 is too small: above 0 needed"),
    ("training_runs", "training_flop", "", "is empty (give training compute)"),
    ("training_runs", "rank", "4", "4 is too large: at most 3 needed"),
    ("training_runs", "rank", "0", "0 is too small: at least 1 needed"),
    ("training_runs", "rank", "1.5", "'1.5' is not a whole number"),
    ("training_runs", "confidence", "likely", "'likely' is not one of the words allowed (did you mean 'Likely'?)"),
    (
        "training_runs",
        "provenance",
        "guessed",
        "'guessed' is not one of the words allowed (known: read, recalled, derived)",
    ),
    ("training_runs", "source", "", "is empty (give the paper, page or data set"),
    ("training_runs", "licence", "", "is empty (give licence of the source"),
    ("training_runs", "date", "20255-02-17", "'20255-02-17' is not a date (write YYYY-MM-DD)"),
    ("training_runs", "date", "2025-02-30", "'2025-02-30' is not a date"),
    ("training_runs", "date", "17.02.2025", "'17.02.2025' is not a date"),
    ("training_runs", "date", "1949-12-31", "'1949-12-31' is not between 1950 and 2100"),
    ("training_runs", "date", "2101-01-01", "'2101-01-01' is not between 1950 and 2100"),
    ("training_utilization", "training_utilization", "46.2", "46.2 is not below 1 (give a share: 0.462)"),
    ("training_utilization", "training_utilization", "460", "460 is too large: below 1 needed"),
    (
        "deployment_utilization",
        "setting",
        "benchmark",
        "'benchmark' is not one of the words allowed (did you mean 'vendor_benchmark'?)",
    ),
    ("inference_speed", "utilization", "14", "14 is not below 1 (give a share: 0.14)"),
    ("tokens_per_param", "tokens_per_param", "20", "20 is not tokens / active_params"),
    (
        "time_horizons",
        "horizon_minutes",
        "1200",
        "1200 is beyond what the task suite can tell (write 960 with censored = 1",
    ),
    ("world_compute", "low", "9e22", "9e+22 is above high"),
    ("world_compute", "added_flop_per_second", "1", "1 is outside"),
    ("world_compute", "mass", "", "is empty (give low, high and mass, or none of them)"),
    ("world_compute", "mass", "90", "90 is not below 1 (give a share: 0.9)"),
    ("world_compute", "start", "2023-12-31", "2023-12-31 is not before end"),
    ("research_returns", "secondary", "yes", "'yes' is not a whole number"),
    ("conditions", "date", "soon", "'soon' is not a date"),
    ("conditions", "centre", "1e999", "'1e999' is not finite"),
    ("architectures", "layers", "12.5", "'12.5' is not a whole number"),
    ("conditions", "condition", "present_share", "'present_share' is not one of"),
]


@pytest.mark.parametrize(("table", "column", "value", "wording"), BAD_CELLS)
def test_a_bad_cell_is_named_by_file_line_and_column(
    tmp_path: Path, table: str, column: str, value: str, wording: str
) -> None:
    path = edited(tmp_path, table, put(column, value))
    (fault,) = faults_of(tmp_path)
    assert fault.startswith(f"{path}:2: {column}: {wording}")
    assert re.search(r"\(.+\)$", fault)  # a remedy


def test_all_faults_of_all_files_are_named_at_once(tmp_path: Path) -> None:
    def two(records: list[list[str]]) -> None:
        put("params", "many", 3)(records)
        put("layers", "-4", 3)(records)
        put("date", "soon", 7)(records)

    shapes = edited(tmp_path, "architectures", two)
    chips = edited(tmp_path, "hardware", put("price_usd", "", 4))
    assert [fault.split(": ")[:2] for fault in faults_of(tmp_path)] == [
        [f"{shapes}:3", "params"],
        [f"{shapes}:3", "layers"],
        [f"{shapes}:7", "date"],
        [f"{chips}:4", "price_usd"],
    ]


def test_a_missing_column_is_named_once_and_not_on_every_row(tmp_path: Path) -> None:
    def drop(records: list[list[str]]) -> None:
        for record in records:
            del record[5]

    path = edited(tmp_path, "architectures", drop)
    assert faults_of(tmp_path) == [f"{path}:1: layers: is missing from the header (add transformer blocks in sequence)"]


def test_an_unknown_column_gets_a_suggestion(tmp_path: Path) -> None:
    def add(records: list[list[str]]) -> None:
        records[0].append("layer")
        for record in records[1:]:
            record.append("3")

    path = edited(tmp_path, "architectures", add)
    assert faults_of(tmp_path) == [f"{path}:1: layer: is not a column of this table (did you mean 'layers'?)"]


def test_a_column_twice_is_refused(tmp_path: Path) -> None:
    def again(records: list[list[str]]) -> None:
        for record in records:
            record.append(record[5])

    path = edited(tmp_path, "architectures", again)
    assert faults_of(tmp_path) == [f"{path}:1: layers: stands twice in the header (keep one)"]


@pytest.mark.parametrize(
    ("table", "column"),
    [("chinchilla_losses", "date"), ("algorithmic_progress", "study"), ("research_staff", "lab, date")],
)
def test_a_repeated_row_names_the_first(tmp_path: Path, table: str, column: str) -> None:
    path = edited(tmp_path, table, lambda records: records.append(list(records[2])))
    last = len(read_records(path))
    assert faults_of(tmp_path) == [f"{path}:{last}: {column}: repeats line 3 (keep one)"]


def test_two_figures_for_one_staff_day_are_a_repeat_though_they_differ(tmp_path: Path) -> None:
    def second(records: list[list[str]]) -> None:
        records.append([*records[1][:2], "7000", *records[1][3:]])

    path = edited(tmp_path, "research_staff", second)
    assert faults_of(tmp_path)[0].startswith(f"{path}:18: lab, date: repeats line 2")


def test_a_missing_condition_is_named(tmp_path: Path) -> None:
    def drop(records: list[list[str]]) -> None:
        del records[1]

    path = edited(tmp_path, "conditions", drop)
    assert faults_of(tmp_path) == [f"{path}:8: condition: 'present_automated_share' is missing (add its row)"]


def test_too_many_cells_are_refused(tmp_path: Path) -> None:
    path = edited(tmp_path, "hardware", lambda records: records[4].append("extra"))
    assert faults_of(tmp_path) == [f"{path}:5: provenance: 9 cells for 8 columns (quote text that has a comma)"]


CONTENTS = [
    (b"", ":1: table: is empty"),
    (b"\n\n", ":1: table: is empty"),
    (b"chip,date,flop_per_second,price_usd,market,source,licence,provenance\n", ":1: table: has no rows"),
    (
        b"chip,date,flop_per_second,price_usd,market,source,licence,provenance\nA,2020\xe9",
        ":2: table: byte 0xe9 is not",
    ),
    (b'chip,date\n"A,2020-01-01\n', ":2: table: is not CSV"),
]


@pytest.mark.parametrize(("content", "wording"), CONTENTS)
def test_an_unreadable_file_is_refused(tmp_path: Path, content: bytes, wording: str) -> None:
    path = tmp_path / "hardware.csv"
    path.write_bytes(content)
    (fault,) = faults_of(tmp_path)
    assert fault.startswith(f"{path}{wording}")


def test_byte_order_mark_windows_lines_blank_lines_and_wrapped_cells_are_read(tmp_path: Path) -> None:
    content = (SHIPPED / "hardware.csv").read_text(encoding="utf-8").replace("\n", "\r\n") + ",,,\r\n"
    content = content.replace("NVIDIA A100 SXM4 40 GB", '"NVIDIA A100\r\nSXM4 40 GB"')
    (tmp_path / "hardware.csv").write_bytes(b"\xef\xbb\xbf\r\n" + content.encode())
    own, shipped = load_observations(tmp_path), load_observations()
    np.testing.assert_array_equal(own["hardware"].price_usd, shipped["hardware"].price_usd)


def test_lines_are_counted_through_blank_lines_and_wrapped_cells(tmp_path: Path) -> None:
    lines = (SHIPPED / "hardware.csv").read_text(encoding="utf-8").splitlines()
    lines[1] = "\n" + re.sub("^(NVIDIA) ([^,]*)", r'"\1\n\2"', lines[1])
    lines[2] = lines[2].replace("3.12e14", "-1")
    path = tmp_path / "hardware.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    assert [fault.split(": ")[0] for fault in faults_of(tmp_path)] == [f"{path}:5"]


def test_no_folder_is_missing_data_and_a_file_or_empty_folder_a_fault(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match="no such folder") as caught:
        load_observations(tmp_path / "nowhere")
    assert isinstance(caught.value, FileNotFoundError)
    with pytest.raises(InputError, match="is not a folder"):
        load_observations(SHIPPED / "hardware.csv")
    with pytest.raises(InputError, match="holds no table"):
        load_observations(tmp_path)


def test_a_dangling_link_is_refused_as_every_link_is(tmp_path: Path) -> None:
    (tmp_path / "hardware.csv").symlink_to(tmp_path / "gone.csv")
    with pytest.raises(InputError, match=r"hardware\.csv: is a symbolic link"):
        load_observations(tmp_path)


def test_an_unknown_file_gets_a_suggestion(tmp_path: Path) -> None:
    edited(tmp_path, "hardware", lambda _: None).rename(tmp_path / "hardwear.csv")
    with pytest.raises(InputError, match=r"hardwear\.csv: is not a table \(did you mean 'hardware\.csv'\?\)"):
        check_observations(tmp_path)


def test_a_partial_folder_replaces_only_its_own_tables(tmp_path: Path) -> None:
    edited(tmp_path, "hardware", put("price_usd", "9999"))
    (tmp_path / "README.md").write_text("mine")
    own, shipped = load_observations(tmp_path), load_observations()
    assert own["hardware"].price_usd[0] == 9999
    assert own.origin["hardware"] == str(tmp_path)
    assert {own.origin[name] for name in TABLES if name != "hardware"} == {"shipped"}
    assert [name for name in TABLES if own.digests[name] != shipped.digests[name]] == ["hardware"]
    assert own.digest != shipped.digest


def test_a_copy_of_the_shipped_folder_gives_the_same_observations(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "copy")
    own, shipped = load_observations(tmp_path / "copy"), load_observations()
    assert own.digest == shipped.digest
    assert set(own.origin.values()) == {str(tmp_path / "copy")}


def test_the_digest_ignores_the_order_of_rows_and_the_writing_of_numbers(tmp_path: Path) -> None:
    def reorder(records: list[list[str]]) -> None:
        records[1:] = reversed(records[1:])
        put("flop_per_second", "125e12", len(records))(records)

    edited(tmp_path, "hardware", reorder)
    assert load_observations(tmp_path).digest == load_observations().digest


def test_rows_dated_after_as_of_are_unseen() -> None:
    early = load_observations(as_of="2024-07-23")
    late = load_observations(as_of="2024-07-22")
    assert "Llama 3.1-405B" in early["training_runs"].model
    assert "Llama 3.1-405B" not in late["training_runs"].model
    for name, dataset in early.tables.items():
        known = dataset.end_year if name == "world_compute" else dataset.year
        assert not (known > early.as_of_year).any(), name


def test_a_quarter_is_known_when_it_has_ended() -> None:
    assert load_observations(as_of="2024-03-30")["world_compute"].quarter.values[-1] == "2023Q4"
    assert load_observations(as_of="2024-03-31")["world_compute"].quarter.values[-1] == "2024Q1"


def test_a_cut_row_does_not_change_the_digest(tmp_path: Path) -> None:
    edited(tmp_path, "training_runs", put("training_flop", "7e26", 28))  # Grok 4, July 2025
    before = {"as_of": "2025-01-01"}
    assert load_observations(tmp_path, **before).digests == load_observations(None, **before).digests
    assert load_observations(tmp_path).digests != load_observations().digests


def test_the_day_itself_is_part_of_the_digest() -> None:
    first, second = load_observations(as_of="2026-10-01"), load_observations(as_of="2026-10-02")
    assert first.digests == second.digests
    assert first.digest != second.digest


def test_a_table_may_be_emptied_by_the_cut_and_keeps_its_columns() -> None:
    observations = load_observations(as_of="2019-01-01")
    assert observations["time_horizons"].sizes["row"] == 0
    assert observations["time_horizons"].horizon_minutes.attrs["units"] == "min"
    assert observations["architectures"].sizes["row"] == 3


def test_conventions_without_a_date_outlive_the_cut() -> None:
    conditions = load_observations(as_of="2020-01-01")["conditions"]
    assert list(conditions.condition.values) == ["balanced_growth", "study_error", "secondary_error"]
    assert np.isnan(conditions.year).all()


def test_a_day_before_all_data_names_the_first_date() -> None:
    with pytest.raises(InputError, match=r"nothing was known on 1999-12-31 \(the first row is dated 2017-07-01\)"):
        load_observations(as_of="1999-12-31")


@pytest.mark.parametrize("as_of", ["yesterday", "2026-13-01", "2026", "20255-01-01", 2026, ""])
def test_an_as_of_that_is_no_date_is_refused(as_of: str) -> None:
    with pytest.raises(InputError, match=r"^as_of: .*is not a date \(write YYYY-MM-DD\)"):
        load_observations(as_of=as_of)


def test_as_of_may_be_text_date_or_datetime() -> None:
    digests = {
        load_observations(as_of=day).digest for day in ("2025-03-01", date(2025, 3, 1), datetime(2025, 3, 1, 12))
    }
    assert len(digests) == 1


def test_as_of_defaults_to_the_settings_file_and_not_to_today() -> None:
    observations = load_observations()
    assert observations.as_of == date(2026, 11, 1)
    assert observations.as_of_year == pytest.approx(2026 + 304 / 365)


def test_settings_of_an_own_folder_are_used_and_checked(tmp_path: Path) -> None:
    edited(tmp_path, "hardware", lambda _: None)
    content = (SHIPPED / "settings.toml").read_text()
    file = tmp_path / "settings.toml"
    file.write_text(content.replace("2026-11-01", "2025-01-01"))
    assert load_observations(tmp_path).as_of == date(2025, 1, 1)
    file.write_text(content.replace("draws = 1000", "draws = -1").replace('"2026-11-01"', '"soon"'))
    with pytest.raises(InputError) as caught:
        load_settings(tmp_path)
    assert [fault.split(": ")[:2] for fault in str(caught.value).splitlines()] == [
        [f"{file}:2", "as_of"],
        [f"{file}:5", "draws"],
    ]
    file.write_text("as_of = ")
    with pytest.raises(InputError, match=r"settings\.toml:1: syntax: "):
        load_settings(tmp_path)


def test_the_shipped_settings_are_those_of_the_design() -> None:
    settings = load_settings()
    assert (settings.draws, settings.tune, settings.chains, settings.random_seed) == (1000, 1000, 4, 1)
    assert (settings.first_year, settings.last_year) == (2026, 2045)


def test_every_number_has_a_unit_and_every_date_a_decimal_year() -> None:
    for name, dataset in load_observations().tables.items():
        assert dataset.sizes.keys() == {"row"}
        for column, values in dataset.data_vars.items():
            assert (values.dtype == np.float64) == ("units" in values.attrs), (name, column)
        assert "year" in dataset
    runs = load_observations()["training_runs"]
    grok = runs.year.values[runs.model.values == "Grok 3"]  # 17 February 2025 is day 47 after New Year
    assert grok == pytest.approx([2025 + 47 / 365])


def test_blank_numbers_are_nan_and_intervals_have_their_estimates_unit() -> None:
    observations = load_observations()
    progress = observations["algorithmic_progress"]
    assert np.isnan(progress.low.values).tolist() == [False, True, True, True]
    assert progress.low.attrs["units"] == "months"
    assert observations["world_compute"].high.attrs["units"] == "FLOP/s"


def test_a_table_that_does_not_exist_gets_a_suggestion() -> None:
    with pytest.raises(InputError, match="did you mean 'hardware'"):
        load_observations()["hardwar"]


def test_to_frame_has_a_line_per_row() -> None:
    observations = load_observations()
    frame = observations.to_frame("hardware")
    assert len(frame) == observations["hardware"].sizes["row"]
    assert frame.loc[0, "chip"] == "NVIDIA Tesla V100 SXM2"


def test_a_word_like_no_other_lists_the_known_ones() -> None:
    assert did_you_mean("zzz", ["layers", "params"]) == "known: layers, params"
