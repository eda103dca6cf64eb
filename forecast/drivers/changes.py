"""What differs between two runs, by their records alone: priors, tables, date, settings, versions, what was asked of them.

Every fact of a record has a kind and a name; two runs differ where a fact does. Left out is what follows from the rest
(digests of the whole, the convergence gate, answers) and the command, which names the folder that was written to.
``tests/drivers/test_movement.py`` pins that a change of any of them is seen, and that a run equals itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd
import xarray as xr

from forecast.records import statement
from forecast.runs import model_digest, read_provenance
from forecast.side_draws import recorded_prior

COLUMNS = ("kind", "name", "was", "is")
ABSENT = "not there"
PRIOR, TABLE, AS_OF, MODEL, VIEWS, DRAWN_FROM = "prior", "table", "as_of", "model", "views", "drawn from"
NOISE_ALONE = (
    "setting",
    "origin",
    "overlay",
    "source",
    "scenarios",
    "years",
)  # kinds that move answers by noise at most
Record = Mapping[str, Any]
Key = tuple[str, str]


class Fact(NamedTuple):
    """What a record says of one thing: as it is compared, and in words."""

    content: Any
    words: str


def changes(run_a: xr.DataTree, run_b: xr.DataTree) -> pd.DataFrame:
    """What changed between two runs.

    Parameters
    ----------
    run_a, run_b : xarray.DataTree
        Runs, fitted or of the prior; their records are enough.

    Returns
    -------
    pandas.DataFrame
        A row per change with the columns `COLUMNS`, in words: a prior by its statement, a table by its rows. No row where
        the two are equal.

    Raises
    ------
    InputError
        If one of them is no run.

    Examples
    --------
    >>> from forecast import load_run
    >>> run = load_run("forecast-out/run.nc")  # doctest: +SKIP
    >>> changes(run, run).empty  # doctest: +SKIP
    True
    """
    return changes_of(read_provenance(run_a), read_provenance(run_b))


def changes_of(a: Record, b: Record) -> pd.DataFrame:
    """`changes` of two records."""
    one, other = dict(facts(a)), dict(facts(b))
    shared = {kind for kind, _ in one} & {
        kind for kind, _ in other
    }  # a record that is silent on a kind tells no change
    order = [key for key in dict.fromkeys([*one, *other]) if key[0] in shared | {VIEWS}]
    kinds = list(dict.fromkeys(kind for kind, _ in order))
    rows = []
    for key in sorted(order, key=lambda key: kinds.index(key[0])):
        was, now = one.get(key, Fact(None, ABSENT)), other.get(key, Fact(None, ABSENT))
        if was.content != now.content:
            rows.append((*key, *told_apart(was, now)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def told_apart(was: Fact, now: Fact) -> tuple[str, str]:
    """Words of both; contents whole where the words are the same."""
    if was.words != now.words:
        return was.words, now.words
    return json.dumps(was.content), json.dumps(now.content)


def facts(record: Record) -> Iterator[tuple[Key, Fact]]:
    """Every fact of a record by kind and name."""
    yield (DRAWN_FROM, DRAWN_FROM), plain(record["kind"])
    for name, said in record["priors"].items():
        yield (PRIOR, name), Fact(said, statement(recorded_prior(dict(record), name)))
    for name, digest in record["digests"]["tables"].items():
        yield (TABLE, name), Fact(digest, table_words(record, name))
    yield (AS_OF, AS_OF), plain(record["as_of"])
    for name, value in record["settings"].items():
        yield ("setting", name), plain(value)
    for name, value in record["versions"].items():
        yield ("version", name), plain(value)
    if record.get("views"):
        yield (VIEWS, VIEWS), Fact([record["views"], record["digests"]["fit"]], ", ".join(record["views"]))
    else:
        yield (
            (MODEL, MODEL),
            plain("as installed here" if made_here(record) else "other sources than those installed here"),
        )
    if "thinned" in record:
        yield ("setting", "thinned"), plain(record["thinned"])
    yield from asked(record)


def asked(record: Record) -> Iterator[tuple[Key, Fact]]:
    """What a run that explains itself says besides."""
    if "scenarios" in record:
        yield ("scenarios", "scenarios"), Fact(record["scenarios"], ", ".join(record["scenarios"]))
    if "years" in record:
        years = list(record["years"])
        yield ("years", "years"), Fact(years, f"{years[0]}:{years[-1]}" if years else "none")
    if "overlays" in record:
        yield ("overlay", "overlays"), Fact(record["overlays"], "; ".join(record["overlays"]) or "none")
    for name, origin in record.get("origin", {}).items():
        yield ("origin", name), plain(origin)
    for entry in record.get("parameters", ()):
        words = "; ".join(entry["source"]) or "none"
        content = [entry[key] for key in ("source", "rationale", "units", "definition")]
        yield (
            ("source", entry["name"]),
            Fact(content, f"{words}: {entry['rationale']}" if entry["rationale"] else words),
        )


def plain(value: Any) -> Fact:
    """A fact that is its own words."""
    return Fact(value, str(value))


def table_words(record: Record, name: str) -> str:
    """How many rows a table has, where the record holds them; else the start of its digest."""
    if "observations" not in record:
        return f"digest {record['digests']['tables'][name][:8]}"
    count = len(record["observations"][name]["rows"])
    return f"{count} row{'' if count == 1 else 's'} (digest {record['digests']['tables'][name][:8]})"


def made_here(record: Record) -> bool:
    """Whether a run was made by the very equations and model that are installed."""
    return bool(record["digests"].get("model") == model_digest())
