"""Rival forms against the numbers their authors' code gives (MODEL section 5)."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.dynamics import ai2027, davidson_houlden2025, kwa2026
from forecast.dynamics.forms import (
    ai2027_readouts,
    davidson_houlden2025_readouts,
    kwa2026_readouts,
)
from forecast.priors import Priors
from forecast.results import in_blocks
from forecast.schema import SIDE_PARAMETERS

DRAWS = 100_000  # a standard error of 0.0016


def published_draws(priors: Priors, size: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(20261101)
    names = SIDE_PARAMETERS["rival_forms"]
    return {name: np.asarray(priors[name].sample(rng, size), dtype=float) for name in names}


@pytest.fixture(scope="module")
def davidson_houlden(priors: Priors) -> dict[str, np.ndarray]:
    p = published_draws(priors, DRAWS)
    return in_blocks(p, DRAWS, lambda part: davidson_houlden2025_readouts(part, published=True))


def test_davidson_and_houldens_doublings_end_when_theirs_do() -> None:
    path = davidson_houlden2025.doublings(8.0, 1.2, 0.3, 8.0 * 11.0, 3.0, 48.0)
    assert path.months[[8, 24, 40], 0] == pytest.approx([2.720513549, 7.545171003, 16.104441041], abs=6e-10)


def test_three_of_their_years_in_one_are_as_likely_as_they_say(davidson_houlden: dict[str, np.ndarray]) -> None:
    assert davidson_houlden["compression_3_years"].mean() == pytest.approx(0.564, abs=0.005)


def test_ten_of_their_years_in_one_are_as_likely_as_they_say(davidson_houlden: dict[str, np.ndarray]) -> None:
    assert davidson_houlden["compression_10_years"].mean() == pytest.approx(0.168, abs=0.005)


def test_their_year_is_two_of_people_only_software(davidson_houlden: dict[str, np.ndarray]) -> None:
    """Eight doublings of three months each: 3 of their years are 6 of people-only software, to a partial doubling."""
    human_years = davidson_houlden["best_year_gain_human_years"]
    assert np.mean(human_years >= 6.0) == pytest.approx(0.564, abs=0.006)
    assert np.mean(human_years >= 20.0) == pytest.approx(0.168, abs=0.006)


@pytest.mark.parametrize(
    ("gap", "before", "after", "days"),
    [(3.873, 5.0, 25.0, 140.536), (19.71, 25.0, 250.0, 112.478), (82.42, 250.0, 2000.0, 50.635)],
)
def test_stages_of_ai_2027_take_their_days(gap: float, before: float, after: float, days: float) -> None:
    assert 365.0 * ai2027.stage_years(gap, before, after) == pytest.approx(days, abs=6e-4)


def test_the_shipped_priors_give_the_same_days(priors: Priors) -> None:
    p = published_draws(priors, 2) | {"software_doubling_months": np.array([8.0, 9.0])}
    found = ai2027_readouts(p, published=True)
    days = [found[f"days_to_{stage}"][0] for stage in ("researcher", "superhuman", "superintelligence")]
    assert days == pytest.approx([140.536, 112.478, 50.635], abs=6e-4)
    assert found["best_year_gain_human_years"] == pytest.approx(106.003)  # all of it within 304 days


def test_kwas_software_grows_as_his(priors: Priors) -> None:
    p = published_draws(priors, 1)
    production = kwa2026.Production(
        people_rate=np.log(5.0) * (1.0 - 0.375) ** 0.2115,
        labour_exponent=0.2115,
        compute_exponent=0.6885,
        difficulty_exponent=0.65,
        slope=1.0 / 2.85,
        logit_start=kwa2026.logit(0.375),
    )
    path = kwa2026.course(production, p, 2031.0)
    found = np.exp(kwa2026.software_at(path, np.array([2027.0, 2028.0, 2029.0, 2030.0]))[:, 0])
    assert [float(f"{x:.6g}") for x in found] == [4.56963, 19.4377, 82.7943, 302.927]
    assert found == pytest.approx([4.56963, 19.4377, 82.794, 302.927], rel=5e-6)


def test_kwas_priors_give_his_medians_near_the_middle_draw(priors: Priors) -> None:
    """The priors are symmetric about the reference draw, whose 99% comes in 2033.09."""
    p = published_draws(priors, 2000) | {"as_of_year": 2026.83}
    found = kwa2026_readouts(p, published=True, window_end=2046.0)
    assert np.median(found["year_99"]) == pytest.approx(2033.09, abs=0.5)
