"""A traced equation, evaluated by NumPy, is the equation."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from forecast.dynamics.tracing import Graph, Symbol, dependent, evaluated, needed


def formula(x: Any, y: Any) -> Any:
    """Something with every kind of operation."""
    bent = np.where(x > y, np.log1p(x) - np.expm1(-y), -abs(x - 1.0) / (2.0 + y))
    return np.maximum(bent, np.tanh(x)) + np.logaddexp(0.0, -x) + np.minimum(x**2, 10.0) * np.sqrt(y + 1.0)


def test_a_graph_evaluates_to_what_the_function_does() -> None:
    rng = np.random.default_rng(7)
    x, y = rng.uniform(0.0, 3.0, (2, 200))
    graph = Graph()
    result = formula(graph.symbol("x"), graph.symbol("y"))
    np.testing.assert_array_equal(evaluated(graph, [result.number], {"x": x, "y": y})[result.number], formula(x, y))


def test_equal_expressions_are_one_node() -> None:
    graph = Graph()
    x = graph.symbol("x")
    assert (np.exp(x) + 1.0).number == (np.exp(graph.symbol("x")) + 1.0).number
    assert Counter(node[0] for node in graph.nodes)["exp"] == 1


@pytest.mark.parametrize("scale", [3.0, 0.25])
def test_the_log_of_an_exponential_leaves_neither(scale: float) -> None:
    graph = Graph()
    x, y = graph.symbol("x"), graph.symbol("y")
    shortened = np.log(np.exp(x) * scale) + np.log(y / np.exp(x))
    kinds = {graph.nodes[number][0] for number in needed(graph, [shortened.number])}
    assert "exp" not in kinds
    values = {"x": np.array([900.0, -3.0]), "y": np.array([2.0, 5.0])}  # e^900 is no float, its log is
    expected = np.log(scale) + np.log(values["y"])
    np.testing.assert_allclose(evaluated(graph, [shortened.number], values)[shortened.number], expected, rtol=1e-12)


def test_what_does_not_depend_on_an_input_is_known() -> None:
    graph = Graph()
    fixed, moving = graph.symbol("fixed"), graph.symbol("moving")
    rate = np.log(fixed) * 2.0
    result = rate * moving
    assert rate.number not in dependent(graph, ["moving"])
    assert result.number in dependent(graph, ["moving"])


def test_a_symbol_refuses_what_a_graph_cannot_hold() -> None:
    symbol: Symbol = Graph().symbol("x")
    with pytest.raises(TypeError, match=r"np\.where"):
        bool(symbol > 1.0)
    with pytest.raises(TypeError, match="an array met a symbol"):
        symbol + np.ones(3)
