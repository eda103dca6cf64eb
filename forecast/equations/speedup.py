"""How much faster research goes when AIs implement what people think of: four bounds, and the tightest of them.

The speed-up is that of one researcher, or of a staff, over the same people working without AIs at the same moment, who
make a paper's worth of progress in six months. A bound is the speed-up if nothing else limited it.
Source: MODEL section 4, `speedup`; the argument is seed S1 (can AI implementers give a 30x research speed-up).
Arguments broadcast; ``equations.implementers`` evaluates all four on draws.

Two clocks. People work `paper_work_hours` in the `paper_months` of calendar time that a paper takes, in days of
`working_day_hours`; a latency is stated in calendar hours, and costs the working time that passes meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from forecast.equations._smooth import Array, Namespace
from forecast.schema import DAY_SECONDS, JULIAN_YEAR_SECONDS

MONTHS = 12.0
MONTH_DAYS = JULIAN_YEAR_SECONDS / DAY_SECONDS / MONTHS
MONTH_HOURS = 24.0 * MONTH_DAYS


def paper_days(speedup: Array, paper_months: Array) -> Array:
    """Calendar days from one paper to the next, 365.25/12 x months / speed-up.

    Thirty times of half a year is six days (S1):

    >>> round(paper_days(30.0, 6.0), 1)
    6.1
    """
    return MONTH_DAYS * paper_months / speedup


def parallel_papers_speedup(projects: Array, days_each: Array, paper_months: Array) -> Array:
    """Speed-up of a researcher with w papers under way at once, each of which takes some calendar days (S1).

    >>> round(parallel_papers_speedup(5.0, 30.0, 6.0), 1)
    30.4
    """
    return projects * MONTH_DAYS * paper_months / days_each


def copies_speedup(copies: Array, days: Array) -> Array:
    """Speed-up of who does in one working day what some copies of them do in so many working days (S1).

    >>> copies_speedup(4.0, 5.0)
    20.0
    """
    return copies * days


def ideas_bound(idea_time_share: Array, idea_help: Array) -> Array:
    """Speed-up if all but the ideas came at once: help / share (MODEL section 4, S1).

    Parameters
    ----------
    idea_time_share : share of a researcher's time that goes into ideas, reading and direction, between 0 and 1
    idea_help : factor by which AI help shortens that time

    >>> ideas_bound(0.25, 2.0)
    8.0
    """
    return idea_help / idea_time_share


def waiting_hours(
    latency_hours: Array,
    working_day_hours: Array,
    paper_work_hours: Array,
    paper_months: Array,
    *,
    xp: Namespace = np,
) -> Array:
    """Working hours that pass while an answer is awaited, max(min(N, d), N x share of hours worked).

    Each instruction follows the answer before it. Within the working day d a wait costs its length; one that runs into
    the night or through it costs that working day, so that 8 calendar hours cost what 24 do; from there on the wait
    passes as working time does, `paper_work_hours` in `paper_months`, nights, weekends and holidays being free.

    Parameters
    ----------
    latency_hours : N, calendar hours
    working_day_hours : d
    paper_work_hours, paper_months : working hours and calendar time of one paper

    >>> [float(waiting_hours(hours, 8.0, 1000.0, 6.0)) for hours in (0.25, 8.0, 24.0)]
    [0.25, 8.0, 8.0]
    >>> round(float(waiting_hours(6.0 * 730.5, 8.0, 1000.0, 6.0)), 6)
    1000.0
    """
    share = paper_work_hours / (paper_months * MONTH_HOURS)
    return xp.maximum(xp.minimum(latency_hours, working_day_hours), share * latency_hours)


def effective_projects(projects: Array, switching_cost_exponent: Array, *, xp: Namespace = np) -> Array:
    """How many projects at full attention w projects at once are worth, w / max(1, w)^c.

    Below one project per researcher several people share a paper, and nobody switches.

    >>> round(float(effective_projects(8.0, 0.3)), 2), float(effective_projects(0.5, 0.3))
    (4.29, 0.5)
    """
    return projects / xp.maximum(1.0, projects) ** switching_cost_exponent


def latency_bound(
    paper_work_hours: Array, instructions: Array, waiting_hours: Array, effective_projects: Array
) -> Array:
    """Speed-up if people only waited: work hours of a paper / (J N / w) (MODEL section 4, S1).

    A project waits J N working hours for its answers; w projects wait side by side. Attention lost by switching is
    charged here and not to the ideas: who is bound by ideas has no wait to fill and takes up one project at a time.

    Parameters
    ----------
    paper_work_hours : working hours of a paper without AIs
    instructions : J, instructions per paper that wait for an answer
    waiting_hours : N, working hours that an answer is awaited, as `waiting_hours` counts them
    effective_projects : w less what switching costs, as `effective_projects` counts it

    Four projects, each eight times faster:

    >>> latency_bound(1000.0, 250.0, 0.5, 4.0)
    32.0
    """
    return paper_work_hours * effective_projects / (instructions * waiting_hours)


def experiment_cost_growth(params_growth: Array, flop_growth: Array, experiment_cost_exponent: Array) -> Array:
    """Growth of what an experiment costs in compute, p^(2-gamma) C^(gamma-1), a factor.

    An experiment on a model of p parameters costs p^gamma (S1): quadratic where it trains a share of the model, since
    data grow with parameters, linear where fine-tuning on a fixed number of tokens is enough. Tokens per parameter do
    not stay constant (text runs out), so the two ends are taken as what they are, a training run (C) and one pass of a
    model (p), and gamma goes between them in logs. At constant tokens per parameter C grows as p^2 and this is p^gamma.

    Parameters
    ----------
    params_growth : factor by which the parameters of the largest model grow
    flop_growth : factor by which its training compute grows
    experiment_cost_exponent : gamma

    >>> experiment_cost_growth(10.0, 100.0, 2.0), experiment_cost_growth(10.0, 100.0, 1.0)
    (100.0, 10.0)
    """
    gamma = experiment_cost_exponent
    return params_growth ** (2.0 - gamma) * flop_growth ** (gamma - 1.0)


def experiments_per_researcher(fleet_growth: Array, cost_growth: Array, researcher_growth: Array) -> Array:
    """Growth of the experiments that a researcher's share of the fleet pays for, a factor; each argument is one too.

    >>> experiments_per_researcher(100.0, 10.0, 2.0)
    5.0
    """
    return fleet_growth / (cost_growth * researcher_growth)


def compute_bound(compute_saving: Array, experiments_per_researcher: Array, *, xp: Namespace = np) -> Array:
    """Speed-up if only compute for experiments limited it: saving x max(1, growth of experiments per researcher).

    At `as_of` people use what compute there is, so implementers must save what they speed up (S1: "30x improvement in
    compute needed beyond what would be done by default by humans"). Where the fleet outgrows the experiments of its
    researchers, people alone cannot use the surplus and implementers can. Where it does not, people alone meet the
    same scarcity and make do with smaller experiments, a paper still taking them six months: then only the saving
    counts. Speed-up being over people alone at the same moment, scarcity that both share never lowers it.

    Parameters
    ----------
    compute_saving : factor saved per experiment by utilization and smaller scale, beyond what people do by default
    experiments_per_researcher : relative to `as_of`, as `experiments_per_researcher` counts them

    >>> float(compute_bound(3.0, 5.0)), float(compute_bound(3.0, 0.2))
    (15.0, 3.0)
    """
    return compute_saving * xp.maximum(1.0, experiments_per_researcher)


def tokens_bound(
    tokens_per_year: Array, tokens_per_paper: Array, best_of_n: Array, researchers: Array, paper_months: Array
) -> Array:
    """Speed-up if only running the AIs limited it: R&D tokens / (tokens per paper x best-of-n x papers of people).

    Parameters
    ----------
    tokens_per_year : tokens that R&D can spend in a year
    tokens_per_paper : tokens of AI work in one paper, in one pass
    best_of_n : factor on them for samples, tests and corrections
    researchers, paper_months : people, each of whom makes a paper in `paper_months` of calendar time without AIs

    >>> tokens_bound(1e15, 5e7, 4.0, 2500.0, 6.0)
    1000.0
    """
    papers_per_year = researchers * MONTHS / paper_months
    return tokens_per_year / (tokens_per_paper * best_of_n * papers_per_year)


def smooth_minimum(bounds: Sequence[Array], sharpness: Array, *, xp: Namespace = np) -> Array:
    """Speed-up that several bounds leave, (sum of bound^-k)^(-1/k) (MODEL section 4).

    Never above the smallest bound; n equal ones leave n^(-1/k) of it. Nothing is cut off at 1: below it, working with
    AIs is slower than without.

    Parameters
    ----------
    bounds : above 0
    sharpness : k above 0

    >>> round(float(smooth_minimum([4.0, 4.0], 8.0)), 3), round(float(smooth_minimum([4.0, 400.0], 8.0)), 3)
    (3.668, 4.0)
    """
    smallest = reduce(xp.minimum, bounds)
    total = sum((smallest / bound) ** sharpness for bound in bounds)  # relative to the smallest: no overflow
    return smallest * total ** (-1.0 / sharpness)
