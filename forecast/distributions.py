"""The distributions that scipy does not freeze: logit-normal, and any distribution cut to an interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy import special, stats


class Distribution(Protocol):
    """The part of a frozen scipy distribution that this package uses."""

    def ppf(self, q: Any) -> Any: ...
    def cdf(self, x: Any) -> Any: ...
    def logpdf(self, x: Any) -> Any: ...
    def rvs(self, size: Any = 1, random_state: Any = None) -> Any: ...
    def support(self) -> tuple[float, float]: ...


@dataclass(frozen=True)
class LogitNormal:
    """Distribution of expit(z), z normal; scipy has none."""

    mu: float
    sigma: float

    def ppf(self, q: Any) -> Any:
        return special.expit(stats.norm.ppf(q, self.mu, self.sigma))

    def cdf(self, x: Any) -> Any:
        return stats.norm.cdf(special.logit(np.clip(x, 0.0, 1.0)), self.mu, self.sigma)

    def logpdf(self, x: Any) -> Any:
        x = np.asarray(x, dtype=float)
        inside = (x > 0) & (x < 1)
        safe = np.where(inside, x, 0.5)
        density = stats.norm.logpdf(special.logit(safe), self.mu, self.sigma) - np.log(safe) - np.log1p(-safe)
        return np.where(inside, density, -np.inf)[()]

    def rvs(self, size: Any = 1, random_state: Any = None) -> Any:
        return special.expit(stats.norm.rvs(self.mu, self.sigma, size=size, random_state=random_state))

    def support(self) -> tuple[float, float]:
        return (0.0, 1.0)


@dataclass(frozen=True)
class Truncated:
    """A distribution cut to [lower, upper] and renormalised."""

    base: Distribution
    lower: float
    upper: float

    def _ends(self) -> tuple[float, float]:
        return float(self.base.cdf(self.lower)), float(self.base.cdf(self.upper))

    def ppf(self, q: Any) -> Any:
        low, high = self._ends()
        return np.clip(self.base.ppf(low + np.asarray(q) * (high - low)), self.lower, self.upper)[()]

    def cdf(self, x: Any) -> Any:
        low, high = self._ends()
        return np.clip((self.base.cdf(x) - low) / (high - low), 0.0, 1.0)[()]

    def logpdf(self, x: Any) -> Any:
        low, high = self._ends()
        inside = (np.asarray(x) >= self.lower) & (np.asarray(x) <= self.upper)
        return np.where(inside, self.base.logpdf(x) - np.log(high - low), -np.inf)[()]

    def rvs(self, size: Any = 1, random_state: Any = None) -> Any:
        return self.ppf(stats.uniform.rvs(size=size, random_state=random_state))

    def support(self) -> tuple[float, float]:
        low, high = self.base.support()
        return max(low, self.lower), min(high, self.upper)
