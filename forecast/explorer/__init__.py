"""The slider page: a run, some of its parameters fixed, projected anew; `serve` shows it to a browser."""

from __future__ import annotations

from forecast.explorer.answers import answer
from forecast.explorer.conditioned import Explorer, explorer
from forecast.explorer.states import State

__all__ = ["Explorer", "State", "answer", "explorer"]
