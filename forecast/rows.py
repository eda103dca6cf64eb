"""One row model per table: its columns, their units and what may stand in them.

The tables hold linear SI values (FLOP, FLOP/s, bytes/s, USD) except where a column's name says otherwise
(``horizon_minutes``, ``doubling_months``, ``training_days``). Every row carries the ``source`` it was published in,
that source's ``licence`` and ``provenance``: ``read`` there, ``recalled`` from it, or ``derived`` from figures there.
``tests/test_tables.py`` holds the shipped rows to this.
"""

from __future__ import annotations

import math
import re
from datetime import date as Date
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError, PydanticUndefined

FIRST_DATE, LAST_DATE = Date(1950, 1, 1), Date(2100, 12, 31)
LONGEST_RELIABLE_HORIZON = 960.0  # minutes; METR calls longer estimates unreliable, so they are censored there
ESTIMATE = "as the estimate"  # unit of an interval's ends
STATED = "see the column units"  # unit of a column whose rows have their own
CITATION = ("source", "licence", "provenance", "note")  # columns that say where a figure is from, not what it is


def fault(problem: str, column: str = "") -> PydanticCustomError:
    """Return the error a validator raises; ``column`` is needed where the whole row is judged."""
    return PydanticCustomError("fault", "{problem}", {"problem": problem, "column": column})


def parse_date(value: object) -> object:
    """Turn ``YYYY-MM-DD`` into a date between 1950 and 2100."""
    if not isinstance(value, str):
        return value
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            raise ValueError(value)
        day = Date.fromisoformat(value)
    except ValueError:
        raise fault(f"{value!r} is not a date (write YYYY-MM-DD)") from None
    if not FIRST_DATE <= day <= LAST_DATE:
        raise fault(f"{value!r} is not between {FIRST_DATE.year} and {LAST_DATE.year} (check the year)")
    return day


ConditionName = Literal[
    "present_automated_share",
    "present_log_speedup",
    "past_log10_rate",
    "past_year",
    "past_compute_growth",
    "balanced_growth",
    "study_error",
    "secondary_error",
]
Day = Annotated[Date, BeforeValidator(parse_date)]


def text(definition: str) -> Any:
    """Return a text column that must not be empty."""
    return Field(min_length=1, description=definition)


def quantity(
    units: str,
    definition: str,
    *,
    gt: float | None = 0.0,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
    default: Any = PydanticUndefined,
) -> Any:
    """Return a number column with its unit and limits; positive and not blank unless told otherwise."""
    extra: dict[str, Any] = {"units": units}
    return Field(default, gt=gt, ge=ge, lt=lt, le=le, description=definition, json_schema_extra=extra)


def share(definition: str) -> Any:
    """Return a column of shares strictly between 0 and 1, so that a logit exists."""
    return quantity("1", definition, lt=1.0)


def flag(definition: str) -> Any:
    """Return a column of 0 and 1."""
    return quantity("1", definition, gt=None, ge=0.0, le=1.0)


class Row(BaseModel):
    """What every row has.

    ``unique`` names the columns that no two rows share (all but the citation if empty), ``needed`` the values that its
    first one must take, ``dated`` the column that says from when a row is known.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    unique: ClassVar[tuple[str, ...]] = ()
    needed: ClassVar[tuple[str, ...]] = ()
    dated: ClassVar[str] = "date"

    source: str = text("the paper, page or data set the figure was published in")
    licence: str = text("licence of the source, or 'published figure'")
    provenance: Literal["read", "recalled", "derived"]
    note: str = Field(default="", description="what else a reader needs")

    def published(self) -> Date | None:
        """Return the day from which the row may be used; None where it always may."""
        day = getattr(self, self.dated)
        return day if isinstance(day, Date) else None

    def identity(self) -> tuple[object, ...]:
        """Return what makes the row one of its kind."""
        names = self.unique or tuple(name for name in type(self).model_fields if name not in CITATION)
        return tuple(getattr(self, name) for name in names)


class IntervalRow(Row):
    """An estimate that may have an interval ``low``..``high`` of probability ``mass``, equal tails."""

    estimate: ClassVar[str]

    low: float | None = quantity(ESTIMATE, "lower end of the interval", default=None)
    high: float | None = quantity(ESTIMATE, "upper end of the interval", default=None)
    mass: float | None = quantity("1", "probability of the interval", lt=1.0, default=None)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        ends = {"low": self.low, "high": self.high, "mass": self.mass}
        blank = [name for name, value in ends.items() if value is None]
        if len(blank) == len(ends):
            return self
        if self.low is None or self.high is None or self.mass is None:
            raise fault("is empty (give low, high and mass, or none of them)", blank[0])
        if self.low > self.high:
            raise fault(f"{self.low:g} is above high = {self.high:g} (swap them)", "low")
        centre = getattr(self, self.estimate)
        if not self.low <= centre <= self.high:
            raise fault(f"{centre:g} is outside {self.low:g}..{self.high:g} (check the row)", self.estimate)
        return self


class Architecture(Row):
    """Dense language models: parameters and layers (of one stack)."""

    unique: ClassVar[tuple[str, ...]] = ("model",)
    model: str = text("the model")
    organisation: str = text("who made it")
    family: str = text("models that share design choices")
    date: Day
    params: float = quantity("params", "parameters, embeddings included")
    layers: int = quantity("layers", "transformer blocks in sequence")


class TrainingUtilization(Row):
    """Model FLOP utilization of production training runs."""

    run: str = text("the run")
    organisation: str = text("who ran it")
    date: Day
    training_utilization: float = share("model FLOP over peak FLOP of the hardware and time used")


class DeploymentUtilization(Row):
    """Utilization in inference, against the dense peak of the precision in use."""

    model: str = text("the model")
    hardware: str = text("the chip")
    date: Day
    deployment_utilization: float = share("2 x active parameters x tokens over peak FLOP")
    setting: Literal["vendor_benchmark", "measured", "production"]


class InferenceSpeed(Row):
    """Decoding speed of one stream, with what limits it."""

    model: str = text("the model")
    date: Day
    active_params: float = quantity("params", "parameters used per token")
    layers: int = quantity("layers", "transformer blocks in sequence")
    hardware: str = text("the chip")
    chips: float = quantity("1", "chips that share one copy's weights")
    bytes_per_param: float = quantity("bytes/param", "width of a stored weight")
    memory_bandwidth: float = quantity("bytes/s", "peak memory bandwidth of one chip")
    tokens_per_second: float = quantity("tokens/s", "tokens per second of one stream")
    utilization: float | None = quantity("1", "model FLOP utilization, where stated", lt=1.0, default=None)
    setting: Literal["benchmark", "production"]


class ChinchillaLoss(Row):
    """Final training losses of one family of models, points kept by Besiroglu et al. 2024."""

    date: Day
    params: float = quantity("params", "parameters")
    tokens: float = quantity("tokens", "tokens trained on (training FLOP / 6 parameters)")
    loss: float = quantity("nats/token", "final training loss")


class TokensPerParam(Row):
    """Runs of 1e24 FLOP or more, and at least a tenth of the largest published by then."""

    unique: ClassVar[tuple[str, ...]] = ("model",)
    model: str = text("the model")
    date: Day
    training_flop: float = quantity("FLOP", "training compute")
    active_params: float = quantity("params", "parameters used per token")
    tokens: float = quantity("tokens", "tokens trained on, repeats counted")
    tokens_per_param: float = quantity("tokens/param", "tokens per active parameter")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        ratio = self.tokens / self.active_params
        if abs(math.log(self.tokens_per_param / ratio)) > 0.02:
            raise fault(
                f"{self.tokens_per_param:g} is not tokens / active_params = {ratio:g} (correct one)", "tokens_per_param"
            )
        return self


class AlgorithmicProgress(IntervalRow):
    """Doubling time of algorithmic efficiency in language-model pre-training; one row per study."""

    unique: ClassVar[tuple[str, ...]] = ("study",)
    estimate: ClassVar[str] = "doubling_months"
    study: str = text("the study")
    date: Day
    doubling_months: float = quantity("months", "time in which the compute needed for a given loss halves")
    secondary: int = flag("1 if quoted at second hand")


class TrainingRun(Row):
    """Runs that were among the three largest at their date, ranked over all earlier ones."""

    unique: ClassVar[tuple[str, ...]] = ("model",)
    model: str = text("the model")
    organisation: str = text("who trained it")
    date: Day
    training_flop: float = quantity("FLOP", "training compute")
    rank: int = quantity("1", "rank at its date, 1 = largest", gt=None, ge=1, le=3)
    confidence: Literal["Confident", "Likely", "Speculative", "Unverified"]


class RunDuration(Row):
    """Length of training runs of at least a tenth of the largest published by then."""

    unique: ClassVar[tuple[str, ...]] = ("model",)
    model: str = text("the model")
    date: Day
    training_days: float = quantity("days", "wall-clock length of the run")
    training_flop: float = quantity("FLOP", "training compute")


class Hardware(Row):
    """Chips with dense 16-bit tensor throughput and release price."""

    unique: ClassVar[tuple[str, ...]] = ("chip",)
    chip: str = text("the chip")
    date: Day
    flop_per_second: float = quantity("FLOP/s", "peak, dense, 16-bit tensor")
    price_usd: float = quantity("USD", "price at release")
    market: Literal["datacentre", "consumer"]


class WorldCompute(IntervalRow):
    """Compute shipped in a quarter: increments of the four designers' cumulative shipments, no retirement.

    H100-equivalents are worth 989.5e12 FLOP/s each. The interval adds in quadrature each designer's increment times the
    relative error of its cumulative total (5% to 95%), as if errors were independent between designers.
    """

    unique: ClassVar[tuple[str, ...]] = ("quarter",)
    dated: ClassVar[str] = "end"
    estimate: ClassVar[str] = "added_flop_per_second"
    quarter: str = text("calendar quarter, such as 2024Q1")
    start: Day
    end: Day
    added_flop_per_second: float = quantity("FLOP/s", "peak, dense, 16-bit, shipped in the quarter")

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.start >= self.end:
            raise fault(f"{self.start} is not before end = {self.end} (swap them)", "start")
        return self


class FleetCompute(IntervalRow):
    """The largest fleet of an AI developer at the end of a year."""

    unique: ClassVar[tuple[str, ...]] = ("lab", "date")
    estimate: ClassVar[str] = "fleet_flop_per_second"
    lab: str = text("the developer")
    date: Day
    fleet_flop_per_second: float = quantity("FLOP/s", "peak, dense, 16-bit, owned and rented")


class TimeHorizon(IntervalRow):
    """METR's 50% time horizons, version 1.1 (versions are never pooled), models at the state of the art."""

    unique: ClassVar[tuple[str, ...]] = ("model",)
    estimate: ClassVar[str] = "horizon_minutes"
    model: str = text("the model")
    date: Day
    horizon_minutes: float = quantity("min", "length of tasks done at 50% success, at most 960")
    censored: int = flag("1 if the horizon is at least this long")

    @field_validator("horizon_minutes")
    @classmethod
    def _within_reach(cls, minutes: float) -> float:
        if minutes > LONGEST_RELIABLE_HORIZON:
            reach = f"{LONGEST_RELIABLE_HORIZON:g}"
            raise fault(
                f"{minutes:g} is beyond what the task suite can tell (write {reach} with censored = 1: at least that)"
            )
        return minutes


class ResearchStaff(Row):
    """Staff of AI developers (Google DeepMind: of the AI division)."""

    unique: ClassVar[tuple[str, ...]] = ("lab", "date")
    lab: str = text("the developer")
    date: Day
    staff: float = quantity("people", "people employed, of all trades")


class ResearchReturns(IntervalRow):
    """Returns to software research in other fields; times ``conversion`` they are on all inputs."""

    unique: ClassVar[tuple[str, ...]] = ("field", "date")
    estimate: ClassVar[str] = "returns"
    field: str = text("the field")
    date: Day
    returns: float = quantity("1", "doublings of efficiency per doubling of cumulative input")
    input: Literal["labour", "all"]
    conversion: float = quantity("1", "growth of labour over growth of all inputs; 1 where the input is 'all'")
    secondary: int = flag("1 if quoted at second hand")


class Condition(Row):
    """Statements that the model is conditioned on, and conventions (undated) about errors."""

    unique: ClassVar[tuple[str, ...]] = ("condition",)
    needed: ClassVar[tuple[str, ...]] = get_args(ConditionName)
    condition: ConditionName
    date: Day | None = Field(default=None, description="from when it is known; blank for a convention")
    centre: float = quantity(STATED, "centre of the normal, or the value", gt=None)
    sd: float | None = quantity(STATED, "standard deviation; blank for a value without error", default=None)
    units: str = text("unit of centre and sd")
    rationale: str = text("the reason for centre and sd")


def units_of(model: type[Row], column: str) -> str | None:
    """Return the unit of a number column; None for text and dates."""
    extra = model.model_fields[column].json_schema_extra
    if not isinstance(extra, dict):
        return None
    if extra["units"] == ESTIMATE and issubclass(model, IntervalRow):
        return units_of(model, model.estimate)
    return str(extra["units"])


TABLES: dict[str, type[Row]] = {
    "architectures": Architecture,
    "training_utilization": TrainingUtilization,
    "deployment_utilization": DeploymentUtilization,
    "inference_speed": InferenceSpeed,
    "chinchilla_losses": ChinchillaLoss,
    "tokens_per_param": TokensPerParam,
    "algorithmic_progress": AlgorithmicProgress,
    "training_runs": TrainingRun,
    "run_durations": RunDuration,
    "hardware": Hardware,
    "world_compute": WorldCompute,
    "fleet_compute": FleetCompute,
    "time_horizons": TimeHorizon,
    "research_staff": ResearchStaff,
    "research_returns": ResearchReturns,
    "conditions": Condition,
}
