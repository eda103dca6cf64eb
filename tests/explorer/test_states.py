"""A state goes through a link and back; a wrong one is refused in a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.errors import InputError
from forecast.explorer.states import Allowed, State, query, state_of

RANGES = {"returns": (0.5, 1.5), "required_horizon_minutes": (10.0, 1e9), "budget_growth": (-0.1, 0.2)}
ALLOWED = Allowed(
    {"scenario": ["baseline", "software_only"], "form": ["section5", "kwa2026"], "view": ["none", "davidson2023"]},
    RANGES,
    "6f1a",
)


@given(
    st.sampled_from(["baseline", "software_only"]),
    st.sampled_from(["section5", "kwa2026"]),
    st.sampled_from(["none", "davidson2023"]),
    st.fixed_dictionaries({}, optional={name: st.floats(*ends) for name, ends in RANGES.items()}),
)
def test_a_link_gives_its_state_back_to_the_last_digit(
    scenario: str, form: str, view: str, held: dict[str, float]
) -> None:
    fixed = tuple((name, held[name]) for name in RANGES if name in held)
    state = State(scenario, form, view, fixed)
    assert state_of(query(state, "6f1a"), ALLOWED) == state
    assert state_of(query(state), ALLOWED) == state


def test_the_order_in_a_link_does_not_matter() -> None:
    one, other = "budget_growth=0.1&returns=1", "returns=1.0&budget_growth=1e-1"
    assert state_of(one, ALLOWED) == state_of(other, ALLOWED)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("retruns=1", "no choice or slider named 'retruns'; did you mean 'returns'?"),
        ("scenario=software_onyl", "no scenario named 'software_onyl'; did you mean 'software_only'?"),
        ("returns=7", "returns = 7 is outside the slider's range: give a number from 0.5 to 1.5"),
        ("returns=nan", "returns = 'nan' is no number: give one from 0.5 to 1.5"),
        ("returns=1_0", "returns = '1_0' is no number: give one from 0.5 to 1.5"),
        ("returns=", "returns = '' is no number: give one from 0.5 to 1.5"),
        ("returns=1&returns=1", "returns is given twice: give it once"),
        ("run=ffff", "the link was made for another run (ffff, this is 6f1a): open that run"),
        ("returns", "the state cannot be read: write name=value, joined by &"),
        ("a=1&" * 100 + "b=1", "the state cannot be read: write name=value, joined by &"),
        ("x" * 5000, "the state has 5000 characters: give at most 2000"),
        ("x" * 1000 + "=1", f"no choice or slider named '{'x' * 40}...'; known: "),
    ],
)
def test_a_wrong_link_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        state_of(text, ALLOWED)
    assert str(refused.value).startswith(sentence)
