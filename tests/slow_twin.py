"""The slow obvious twin of `forecast.dynamics`: one draw, calendar time, a general solver, no arc length, no blocks.

It integrates d ln S/dt = g_S M speed-up S^-beta (1 - S/S_max) exp(-psi (x-y)^2/2) and dy/dt = rate (x - y) with LSODA at
1e-9, and shares with the package only the equations of `forecast.equations`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.integrate import OdeSolution, solve_ivp
from scipy.optimize import brentq

from forecast.equations import takeoff, trends

LN10 = float(np.log(10.0))
COURSES = ("trend", "frozen", "leap")
BELOW_CEILING = 0.01  # ln S this close to its ceiling ends the stiff part; software stays there
SOLVER: dict[str, Any] = {"method": "LSODA", "rtol": 1e-9, "atol": 1e-10, "dense_output": True}


@dataclass(frozen=True)
class Twin:
    """One draw's solution: ln S at any year, and the year of full automation (+inf if not by the end)."""

    p: dict[str, Any]
    end: float
    year_100: float
    before: OdeSolution
    after: OdeSolution | None
    ceiling_year: float
    turn: dict[str, float]
    at: takeoff.Milestones

    def log_software(self, year: Any) -> Any:
        early = self.before(np.minimum(year, self.before.t_max))[0]
        if self.after is None:
            return early
        late = self.after(np.clip(year, self.year_100, self.ceiling_year))[0]
        return np.where(year <= self.year_100, early, late)[()]

    def research(self, year: Any) -> takeoff.Research:
        return state(self.p, self.at, year, self.log_software(year), self.turn)[2]

    def effective_flop(self, year: Any) -> Any:
        return takeoff.effective_flop(self.log_software(year), takeoff.surroundings(year, self.p, **self.turn))

    def years_to_gain(self, log_gain: float, window_end: float) -> float:
        """Years from full automation until ln S has grown by `log_gain`; +inf if not within the window."""
        if not np.isfinite(self.year_100):
            return np.inf
        level = self.log_software(self.year_100) + log_gain
        if self.log_software(window_end) < level:
            return np.inf
        return float(brentq(lambda year: self.log_software(year) - level, self.year_100, window_end) - self.year_100)

    def years(self, window_end: float) -> Any:
        """A grid that is fine where software is fast."""
        grid = np.linspace(self.p["as_of_year"], window_end, 4001)
        if np.isfinite(self.year_100):
            near = self.year_100 + np.linspace(-1.5, 1.5, 4001)
            grid = np.union1d(grid, near[(near > grid[0]) & (near < window_end)])
        return grid

    def best_year_gain(self, window_end: float) -> float:
        """Largest gain of software (OOM) in 12 months, by trying every beginning."""
        last = self.end if self.after is not None else window_end
        starts = self.years(window_end)
        starts = starts[starts + 1.0 <= last]
        return float(np.max(self.log_software(starts + 1.0) - self.log_software(starts)) / LN10)

    def largest_speedup(self, window_end: float) -> float:
        return float(np.exp(np.max(self.research(self.years(window_end)).log_speedup)))


def state(
    p: dict[str, Any], at: takeoff.Milestones, year: Any, log_s: Any, turn: dict[str, float]
) -> tuple[takeoff.Surroundings, Any, takeoff.Research]:
    """Everything that the rates need at one moment, or at many."""
    around = takeoff.surroundings(year, p, **turn)
    flop = takeoff.effective_flop(log_s, around)
    on = takeoff.deployed(flop, around, at, p)
    fleet_now = trends.log10_fleet(p["as_of_year"], p)
    return around, flop, takeoff.research(flop, around, on, at, fleet_now, p)


def solve(p: dict[str, Any], end: float) -> dict[str, Twin]:
    """One draw integrated to `end`, by the course that compute takes from full automation on."""
    now = float(p["as_of_year"])
    at = takeoff.milestones(trends.log10_effective_flop(now, 0.0, p), p)
    ceiling = LN10 * float(p["log10_software_ceiling"])

    def automated(year: float, y: Any) -> float:
        return float(state(p, at, year, y[0], {})[1] - at.full)

    def near_ceiling(year: float, y: Any) -> float:
        return float(y[0] - (ceiling - BELOW_CEILING))

    automated.terminal, automated.direction = True, 1.0  # type: ignore[attr-defined]
    near_ceiling.terminal = True  # type: ignore[attr-defined]
    first = solve_ivp(rates(p, at, {}), (now, end), [0.0, 0.0], events=automated, **SOLVER)
    if not first.t_events[0].size:
        return dict.fromkeys(COURSES, Twin(p, end, np.inf, first.sol, None, end, {}, at))
    year_100, there = float(first.t_events[0][0]), first.y_events[0][0]
    found = {}
    for course in COURSES:
        turn = {} if course == "trend" else {f"{course}_year": year_100}
        second = solve_ivp(rates(p, at, turn), (year_100, end), there, events=near_ceiling, **SOLVER)
        found[course] = Twin(p, end, year_100, first.sol, second.sol, float(second.t[-1]), turn, at)
    return found


def rates(p: dict[str, Any], at: takeoff.Milestones, turn: dict[str, float]) -> Callable[[float, Any], list[float]]:
    """The right-hand side in calendar time, for (ln S, practice)."""
    now = float(p["as_of_year"])
    start, _, today = state(p, at, now, 0.0, {})
    ceiling = LN10 * float(p["log10_software_ceiling"])

    def derivative(year: float, y: Any) -> list[float]:
        log_s, practice = float(y[0]), float(y[1])
        around, _, research = state(p, at, year, log_s, turn)
        compute = LN10 * (around.log10_fleet - start.log10_fleet)
        target = (research.log_labour - today.log_labour) / p["parallelization_exponent"] - compute
        beta = p["parallelization_exponent"] / p["returns"]
        growth = 12.0 * np.log(2.0) / p["software_doubling_months"]
        mismatch = np.exp(-p["mismatch_penalty"] * (target - practice) ** 2 / 2.0)
        people = np.exp(research.log_people_only + research.log_speedup - beta * log_s)
        share, serial = research.automated_share, np.exp(research.log_serial_speed)
        adapting = p["adaptation_rate"] * ((1.0 - share) + share * serial)
        room = -np.expm1(log_s - ceiling)
        return [float(growth * people * mismatch * room), float(adapting * (target - practice))]

    return derivative
