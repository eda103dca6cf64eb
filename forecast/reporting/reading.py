"""One page on how to read a forecast, with this run's own numbers as examples, and what the numbers do not say.

A point is a (term, text); what stands between backticks is typed at a terminal or is the name of a file.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from forecast.headlines import Estimate, Headline
from forecast.words import number, odds, percent, span

Points = tuple[tuple[str, str], ...]


def reading(headline: Headline) -> Points:
    """What a reader needs to know of medians, intervals, axes, probabilities and draws, and how to disagree."""
    end, missed = headline.last_year, headline.not_automated
    return (
        (
            "A draw",
            "One complete set of parameters that agrees with the figures and with itself. Thousands of them are each "
            "carried through the same equations; every number here sums up what came out. A probability is a share of "
            "draws.",
        ),
        (
            "Median and interval",
            "The median is the middle: half of the draws lie below it, half above. Of a 90% interval, 5% of the draws lie "
            "below and 5% above; of a 50% interval, a quarter each. So one time in ten the truth should fall outside a 90% "
            f"interval, even if the model is right. {wide(headline.streams)}Means are not given: a few extreme draws would "
            "make them.",
        ),
        (
            "Log axis",
            "Where an axis runs 1 million, 10 million, 100 million, equal steps are equal factors. An order of magnitude "
            "(OOM) is a factor of ten, half of one about three. Twice as far is not twice as much: look at the labels, "
            "not at the height.",
        ),
        (
            "Probability words",
            f"Each probability stands in percent and in cases: {percent(missed)} is {odds(missed)}. No chance is printed as "
            "0% or 100%: a few thousand draws cannot tell, and a model cannot know.",
        ),
        (
            f"“Not by {end}”",
            f"The computation stops in {end}. A draw that has not got there is kept as “not by {end}” (censored) and "
            "counts in every median, interval and probability of a date or a length: the upper end of an interval may "
            f"therefore read “not by {end}”. Here {percent(missed)} of the draws do not reach full automation. Numbers "
            "at or after full automation are over the draws that reach it.",
        ),
        (
            "Prior and posterior",
            "The prior is what was believed of a parameter before the figures were used, the posterior what is left after "
            "them. Where the two bars agree the figures said little, and the answer rests on judgement there.",
        ),
        (
            "Streams and human-equivalents",
            "A parallel AI is a stream: one copy that writes one token after the other, not a person. Human-equivalents "
            "count the same tokens as researchers' working years. Neither says anything of judgement, taste or memory, "
            "and the exchange rate is itself an uncertain parameter.",
        ),
        (
            "Conditional on this model",
            "An interval covers uncertain parameters, not the chance that an equation is wrong. Another form of the same "
            "equations, or another person's numbers, may give an answer outside it: both stand side by side above.",
        ),
        (
            "How to disagree",
            "Take the parameter that moves the answer most and that you would put elsewhere, and change it: "
            "`uv run forecast takeoff forecast-out/run.nc --set automation_gap=5` answers in seconds from the draws at "
            "hand, `uv run forecast run --set automation_gap=5 -o mine` fits anew; `uv run forecast priors show` prints "
            "every prior with its reason. Or hold somebody's view against this one: "
            "`uv run forecast compare forecast-out/run.nc --view davidson2023`. Or take other equations: "
            "`uv run forecast takeoff forecast-out/run.nc --form kwa2026`.",
        ),
    )


def wide(value: Estimate) -> str:
    """An interval of this run as an example, with the factor from end to end; nothing where no draw has a value."""
    if not (np.isfinite(value.high) and value.low > 0.0):
        return ""
    ends = span(number(value.low), number(value.high))
    return (
        f"Here the {value.prob:.0%} interval of the number of AIs at full automation is {ends}, a factor of "
        f"{number(value.high / value.low)} from end to end. "
    )


def limits(notes: Iterable[str]) -> Points:
    """What the numbers leave out, and further notes."""
    standard = (
        (
            "Supply, not demand",
            "The number of AIs is what the fleet could run if it did nothing else. Demand, prices, power cuts, policy, war "
            "and deliberate restraint are not in the model.",
        ),
        (
            "Scatter",
            "The scatter of a new case is included for layers, utilization, tokens per parameter, stream speed and the "
            "length of a training run. It is not included for growth rates, which are trends.",
        ),
        (
            "Judgement",
            "What is needed for full automation, and how research output depends on labour and compute, no table says: "
            "these are priors with their reasons, and the parameters' bars show how little the figures changed them.",
        ),
    )
    return (*standard, *(("", note) for note in notes))
