"""What a calibration found, as tables and in words: per parameter, per model, and what to make of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.evaluation.calibration import Calibration
from forecast.evaluation.ranks import FINE, Counts, binomial_interval, counted, rank_table
from forecast.evaluation.replicates import FEWEST_DRAWS, LARGEST_RHAT, LIKELIHOOD
from forecast.words import number, percent

Array = npt.NDArray[np.float64]

MASSES = (0.5, 0.9)
ENOUGH, FEWEST_REPLICATES = (
    100,
    20,
)  # replicates whose band is 0.14 and 0.3 wide to either side: what passes below is luck
POOLED = 0.9  # probability of the interval about a pooled share
ORIGINS = {"prior": "the prior", "posterior": "a fitted posterior"}


class Summary(NamedTuple):
    """One model's calibration without its replicates: what is shown and kept.

    Attributes
    ----------
    model : dict
        A row of `models_table`.
    parameters : pandas.DataFrame
        `ranks.rank_table` with ``error`` (median of posterior mean less truth, in posterior standard deviations),
        ``error_spread`` (half the width of its middle 68%; 0 and about 1 are expected), ``contraction`` (median share of
        the prior's variance that the data removed) and ``draws`` (median number among which a truth was placed).
    counts : (parameter, ranks.BINS)
        Positions of the truths.
    """

    model: dict[str, Any]
    parameters: pd.DataFrame
    counts: Counts


def summary(found: Calibration) -> Summary:
    """The tests, shares and troubles of a calibration.

    >>> summary(sbc(blocks="depth_scaling")).parameters  # doctest: +SKIP
    """
    names = found.ranked["parameter"].values.tolist()
    counts = counted(found.ranked["position"].values)
    errors = found.ranked["error"].values
    low, middle, high = np.quantile(errors, [0.16, 0.5, 0.84], axis=0)
    parameters = rank_table(names, counts).assign(
        error=middle,
        error_spread=(high - low) / 2.0,
        contraction=found.ranked["contraction"].median("replicate").values,
        draws=found.ranked["kept"].median("replicate").values,
    )
    model = {
        "model": found.name,
        "truths": found.origin,
        "parameters": len(names),
        "not_calibrated": int((parameters["verdict"] != FINE).sum()),
        "p_smallest": float(parameters["p_adjusted"].min()),
        **held(found),
        **troubles(found),
        "tried": found.tried,
        "rejected": sum(found.rejected.values()),
        "seconds": found.seconds,
    }
    return Summary(model, parameters, counts)


def held(found: Calibration) -> dict[str, float]:
    """Share of the intervals of all parameters that held the truth, with its own interval of probability `POOLED`."""
    places = found.ranked["position"].drop_sel(parameter=LIKELIHOOD).values
    result: dict[str, float] = {}
    for mass in MASSES:
        shares = (np.abs(places - 0.5) < mass / 2.0).mean(axis=1)
        share = float(shares.mean())
        ends = binomial_interval(share, independent_cases(shares, places.shape[1]), POOLED)
        name = f"held_{100 * mass:.0f}"
        result |= {name: share, f"{name}_low": ends[0], f"{name}_high": ends[1]}
    return result


def independent_cases(shares: Array, parameters: int) -> float:
    """How many independent cases would vary as much as the replicates' shares of so many intervals do.

    Parameters of one replicate are dependent: 200 replicates of 10 parameters are worth fewer than 2,000 cases.

    >>> independent_cases(np.array([1.0, 1.0, 0.0, 1.0]), 10)
    4.0
    """
    mean, most = float(shares.mean()), float(shares.size * parameters)
    variance = float(shares.var()) / shares.size
    return min(most, mean * (1.0 - mean) / variance) if variance > 0.0 else most


def troubles(found: Calibration) -> dict[str, int]:
    """How many replicates were sampled, could not be, diverged, took another chain, and had not settled even so."""
    own = found.ranked
    unsettled = (own["max_rhat"] > LARGEST_RHAT) | (own["min_ess"] < FEWEST_DRAWS)
    return {
        "replicates": int(own.sizes["replicate"]),
        "failed": len(found.failed),
        "diverged": int((own["divergences"] > 0).sum()),
        "drawn_again": int((own["attempts"] > 1).sum()),
        "unsettled": int(unsettled.sum()),
    }


def recovery_table(found: Calibration, prob: float = POOLED) -> pd.DataFrame:
    """Share of the 50% and 90% intervals that held the truth, a row per parameter, each with its binomial interval."""
    places = found.ranked["position"].drop_sel(parameter=LIKELIHOOD)
    columns: dict[str, Any] = {"parameter": places["parameter"].values.tolist()}
    for mass in MASSES:
        shares = (np.abs(places.values - 0.5) < mass / 2.0).mean(axis=0).tolist()
        ends = [binomial_interval(share, places.shape[0], prob) for share in shares]
        name = f"held_{100 * mass:.0f}"
        columns |= {name: shares, f"{name}_low": [e[0] for e in ends], f"{name}_high": [e[1] for e in ends]}
    return pd.DataFrame(columns)


def models_table(found: Sequence[Summary]) -> pd.DataFrame:
    """A row per model: how many parameters are not calibrated, pooled shares of intervals, troubles of the refits."""
    return pd.DataFrame([one.model for one in found])


def parameters_table(found: Sequence[Summary]) -> pd.DataFrame:
    """A row per parameter of every model."""
    labelled = [
        one.parameters.assign(model=one.model["model"], truths=one.model["truths"])[
            ["model", "truths", *one.parameters.columns]
        ]
        for one in found
    ]
    return pd.concat(labelled, ignore_index=True)


def model_words(found: Sequence[Summary]) -> pd.DataFrame:
    """A row per model for people; near a posterior ranks need not be uniform, so there is no verdict on them."""
    rows = []
    for one in found:
        model, judged = one.model, one.model["truths"] == "prior"
        low, high = percent(model["held_90_low"]), percent(model["held_90_high"])
        rows.append(
            {
                "Model": str(model["model"]).replace("_", " "),
                "Replicates": model["replicates"],
                "Quantities": model["parameters"],
                "Not calibrated": model["not_calibrated"] if judged else "",
                "Smallest p, all tests": number(model["p_smallest"]) if judged else "",
                "In 90% interval": f"{percent(model['held_90'])} ({low} to {high})",
                "In 50% interval": percent(model["held_50"]),
                "Diverged": model["diverged"],
                "Drawn again": model["drawn_again"],
                "Unsettled or failed": model["unsettled"] + model["failed"],
            }
        )
    return pd.DataFrame(rows)


def calibration_sentence(one: Summary) -> str:
    """The verdict on one model in words.

    >>> calibration_sentence(summary(sbc(blocks="deployment")))  # doctest: +SKIP
    'deployment: all 7 quantities within the band over 200 replicates; 90% intervals held the truth in 89% (87% to 91%).'
    """
    model, name = one.model, str(one.model["model"]).replace("_", " ")
    share = f"{percent(model['held_90'])} ({percent(model['held_90_low'])} to {percent(model['held_90_high'])})"
    shares = f"90% intervals held the truth in {share}"
    if model["truths"] == "posterior":
        return f"{name}: over {model['replicates']} sets of figures simulated near the posterior, {shares}."
    wrong, number_of = one.parameters[one.parameters["verdict"] != FINE], int(model["replicates"])
    few = f" So few replicates show gross errors only: take {ENOUGH} or more." if number_of < ENOUGH else ""
    if wrong.empty and number_of < FEWEST_REPLICATES:
        return f"{name}: {number_of} replicates are too few to judge its {model['parameters']} quantities.{few}"
    if wrong.empty:
        return (
            f"{name}: all {model['parameters']} quantities within the band over {number_of} replicates; {shares}.{few}"
        )
    kinds = [f"{kind}: {', '.join(map(str, own['parameter']))}" for kind, own in wrong.groupby("verdict", sort=False)]
    return (
        f"{name}: {len(wrong)} of {model['parameters']} quantities are not calibrated over {model['replicates']} replicates "
        f"({'; '.join(kinds)}); {shares}."
    )


def trouble_sentence(found: Sequence[Summary]) -> str:
    """How the refits went, over all models."""
    table = models_table(found)
    total = int(table["replicates"].sum() + table["failed"].sum())
    parts = [
        f"{int(table[column].sum())} {said}"
        for column, said in (
            ("diverged", "had a divergence"),
            ("drawn_again", "took a longer chain to settle"),
            ("unsettled", "had not settled even so"),
            ("failed", "could not be sampled"),
        )
        if table[column].sum()
    ]
    turned, tried = int(table["rejected"].sum()), int(table["tried"].sum())
    prior = f" {turned} of {tried} draws of the prior were ruled out by the model's restrictions." if turned else ""
    return f"Of {total} refits {', '.join(parts)}.{prior}" if parts else f"All {total} refits settled.{prior}"
