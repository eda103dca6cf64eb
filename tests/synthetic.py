"""Datasets of the shapes that `project` and `takeoff` return, with censored draws, and a report made of them."""

from __future__ import annotations

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import xarray as xr

from forecast import schema
from forecast.headlines import headline
from forecast.reporting import Coherence, Gate, ReportContent, Table, make_figures, make_tables
from forecast.schema import CONDITIONAL

SCENARIOS = ["baseline", "software_only"]
YEARS = np.arange(2027, 2046)
CHAINS, DRAWS = 4, 200
COORDS = {"scenario": SCENARIOS, "chain": np.arange(CHAINS), "draw": np.arange(DRAWS)}


def yearly_draws(seed: int = 0) -> xr.Dataset:
    """Every yearly variable: rising lines with one normal offset per draw."""
    rng = np.random.default_rng(seed)
    start = {"log10_parallel_streams": 6.0, "log10_human_equivalents": 7.0, "log10_software": 0.2}
    data = {}
    for name, variable in schema.YEARLY.items():
        offset = rng.normal(0.0, 0.7, (len(SCENARIOS), CHAINS, DRAWS, 1))
        level = start.get(name, 2.0) + 0.25 * (YEARS - 2027) + offset
        values = level if name.startswith("log10_") else np.exp(level / 3.0)
        values = 1.0 / (1.0 + np.exp(-level)) if variable.units == "1" and name.endswith(("share", "ation")) else values
        data[name] = (("scenario", "chain", "draw", "year"), values, attributes(variable))
    return xr.Dataset(data, coords=COORDS | {"year": YEARS})


def readout_draws(seed: int = 1) -> xr.Dataset:
    """Every read-out and event; about a tenth of the draws never reach full automation."""
    rng = np.random.default_rng(seed)
    shape = (len(SCENARIOS), CHAINS, DRAWS)
    year_20 = 2027.0 + rng.normal(0.0, 1.5, shape)
    length = rng.lognormal(np.log(3.5), 0.9, shape)
    year_100 = np.where(year_20 + length < 2046.0, year_20 + length, np.inf)
    reached = np.isfinite(year_100)
    values = {"year_20": year_20, "year_100": year_100, "takeoff_years": np.where(reached, length, np.inf)}
    for oom in (1, 3, 6):
        values[f"years_to_{oom}_oom"] = np.where(
            reached & (rng.random(shape) < 1.0 - oom / 10), oom * length / 3, np.inf
        )
    values |= {name: rng.lognormal(0.0, 1.0, shape) for name in schema.READOUTS if name not in values}
    values["log10_streams_at_automation"] = rng.normal(6.6, 1.2, shape)
    values["log10_human_equivalents_at_automation"] = rng.normal(7.9, 1.4, shape)
    values |= {name: np.where(reached, values[name], np.nan) for name in CONDITIONAL}
    values |= {name: rng.random(shape) < 0.3 for name in schema.EVENTS}
    values |= {"not_automated": ~reached, "already_20": year_20 < 2026.9, "takeoff_within_1_year": length <= 1.0}
    known = schema.READOUTS | schema.EVENTS
    dims = ("scenario", "chain", "draw")
    return xr.Dataset({name: (dims, values[name], attributes(known[name])) for name in known}, coords=COORDS)


def attributes(variable: schema.Variable) -> dict[str, str]:
    return {"units": variable.units, "definition": variable.definition}


def parameter_frame() -> pd.DataFrame:
    """A row per parameter of the schema."""
    rng = np.random.default_rng(2)
    rows = []
    for block, parameters in schema.PARAMETERS.items():
        for name, variable in parameters.items():
            middle, spread = float(rng.uniform(0.3, 40.0)), float(rng.uniform(0.1, 0.6))
            prior = {f"prior_q{q}": middle * (1 + k * spread) for q, k in (("05", -1), ("50", 0), ("95", 1))}
            after = {f"posterior_q{q}": middle * (1 + k * spread / 3) for q, k in (("05", -1), ("50", 0.2), ("95", 1))}
            rows.append(
                {"name": name, "block": block, "units": variable.units, "definition": variable.definition}
                | prior
                | after
                | {
                    "distribution": "TruncatedNormal(mu=0.25, sigma=0.1)",
                    "source": ("Kaplan et al. 2020, Scaling laws for neural language models, section 3.1",),
                    "rationale": "Between nearly constant depth and a fixed ratio of depth to width.",
                }
            )
    return pd.DataFrame(rows)


def observation_table(rows: int = 30) -> Table:
    frame = pd.DataFrame(
        {
            "model": [f"model {i}" for i in range(rows)],
            "year": 2024.4959 + np.arange(rows) / 10,
            "params": 7e10 * np.arange(1, rows + 1),
            "layers": np.arange(80, 80 + rows),
            "source": "Somebody 2024, a paper with a long title, table 3, https://example.org/a-long-address/of-a-page",
            "licence": "CC-BY-4.0",
        }
    )
    return Table("architectures", "architectures", frame)


def report_content(**changes: object) -> ReportContent:
    yearly, readouts = yearly_draws(), readout_draws()
    values: dict[str, object] = {
        "title": "How many AIs, and how fast a take-off",
        "as_of": "2026-11-01",
        "headline": headline(yearly, readouts),
        "gate": (
            Gate("largest R-hat", 1.0042, "<= 1.01", True),
            Gate("smallest bulk ESS", 812.3, ">= 400", True),
            Gate("divergences", 0, "= 0", True),
        ),
        "coherence": (
            Coherence("training cluster > fleet", 0.0, 0.01, True),
            Coherence("fleet > world", 0.0021, 0.01, True),
        ),
        "figures": make_figures(yearly, readouts),
        "tables": make_tables(yearly, readouts),
        "parameters": parameter_frame(),
        "implied": pd.DataFrame(
            {
                "Quantity": ["returns to cognitive labour alone, before full automation", "sigma"],
                "Implied median": [0.42, 0.61],
                "Implied 90% interval": ["0.2 to 0.9", "0.4 to 0.8"],
                "Published": ["", "2.58 and -0.10 (one study); 0.67; 0.5 to 0.7 (manufacturing)"],
            }
        ),
        "observations": (observation_table(),),
        "provenance": {"forecast": "0.1.0", "seed": "1", "digest of priors": "3f" * 32},
        "command": "uv run forecast run --seed 1 --as-of 2026-11-01",
    }
    return ReportContent(**(values | changes))  # type: ignore[arg-type]
