"""Tables to fill in: header and an example row of every table and of the file of resolutions, and what each column holds."""

from __future__ import annotations

import csv
import io
from typing import Any, Literal, get_args, get_origin

import pandas as pd

from forecast.errors import InputError
from forecast.evaluation.resolutions import Resolution
from forecast.observations import SHIPPED
from forecast.rows import TABLES, Row, units_of
from forecast.table_files import did_you_mean

RESOLUTIONS = "resolutions"
EXAMPLES = (
    ("log10_training_flop", "2027-12-31", "27.9", "", "where it was published", "what it was on that day"),
    (
        "log10_task_horizon",
        "2027-12-31",
        "1",
        "3.4",
        "where it was published",
        "1 or 0: was it at least the threshold?",
    ),
    ("year_100", "2028-12-31", "no", "", "where it was published", "has the time come by that day?"),
    ("year_100<2031", "2031-01-31", "no", "", "where it was published", "a question as --output takes it"),
)


def models() -> dict[str, type[Row]]:
    """The row model of everything that has a template."""
    return TABLES | {RESOLUTIONS: Resolution}


def checked(name: str) -> type[Row]:
    """The row model of a table.

    Raises
    ------
    InputError
        If there is no table of that name.
    """
    if name not in models():
        raise InputError(f"no table named {name!r} ({did_you_mean(name, list(models()))})")
    return models()[name]


def template(name: str) -> str:
    """A CSV file to fill in: all columns and, as an example, the last row of the shipped table.

    A table that needs certain rows (conditions) comes whole. The text is a valid table as it stands.

    >>> print(template("run_durations").splitlines()[0])
    model,date,training_days,training_flop,source,licence,provenance,note
    """
    model = checked(name)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if name == RESOLUTIONS:
        writer.writerows([("variable", "date", "value", "threshold", "source", "note"), *EXAMPLES])
        return out.getvalue()
    with (SHIPPED / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = [row for row in csv.reader(file) if row]
    missing = [column for column in model.model_fields if column not in header]
    writer.writerow(header + missing)
    for row in rows if model.needed else rows[-1:]:
        writer.writerow(row + [""] * (len(header) + len(missing) - len(row)))
    return out.getvalue()


def template_columns(name: str) -> pd.DataFrame:
    """What each column of a table holds: column, unit, whether it must be filled, definition."""
    model = checked(name)
    hidden = ("licence", "provenance") if name == RESOLUTIONS else ()
    rows = []
    for column, info in model.model_fields.items():
        if column in hidden:
            continue
        words = words_of(info.annotation)
        kind = units_of(model, column) or ("YYYY-MM-DD" if "datetime.date" in repr(info.annotation) else "text")
        said = info.description or ("one of: " + ", ".join(words) if words else "")
        rows.append({"column": column, "unit": kind, "needed": "yes" if info.is_required() else "", "definition": said})
    own_first = sorted(rows, key=lambda row: row["column"] in Row.model_fields)
    return pd.DataFrame(own_first)


def words_of(annotation: Any) -> list[str]:
    """The words that a column of words allows.

    >>> words_of(Literal["a", "b"])
    ['a', 'b']
    """
    return list(get_args(annotation)) if get_origin(annotation) is Literal else []


def template_list() -> pd.DataFrame:
    """Every table with its title."""
    titles = {name: (model.__doc__ or "").splitlines()[0] for name, model in models().items()}
    return pd.DataFrame({"table": list(titles), "title": list(titles.values())})
