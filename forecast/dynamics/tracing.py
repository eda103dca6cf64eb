"""An equation as data: call a function of arrays with symbols, get the graph of what it computes.

A `Symbol` stands for an array over draws. NumPy's own functions (``np.exp``, ``np.where``, operators) take it through
NEP 13 and NEP 18, so that the equations are traced as they stand and there is no second copy of them to keep in step.
Equal expressions are one node, and arithmetic on plain numbers is done at once.
``tests/dynamics/test_tracing.py`` holds a graph, evaluated by NumPy, against the function it was traced from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

UFUNCS = {
    np.add: "add", np.subtract: "subtract", np.multiply: "multiply", np.divide: "divide", np.power: "power",
    np.negative: "negative", np.absolute: "absolute", np.sqrt: "sqrt",
    np.exp: "exp", np.expm1: "expm1", np.log: "log", np.log1p: "log1p", np.log10: "log10", np.tanh: "tanh",
    np.minimum: "minimum", np.maximum: "maximum", np.logaddexp: "logaddexp",
    np.less: "less", np.less_equal: "less_equal", np.greater: "greater", np.greater_equal: "greater_equal",
    np.equal: "equal", np.bitwise_or: "bitwise_or", np.sign: "sign",
}  # fmt: skip
FUNCTIONS: dict[str, Callable[..., Any]] = {name: ufunc for ufunc, name in UFUNCS.items()} | {"where": np.where}
CHAINS = {"multiply": "add", "divide": "subtract"}  # what the log of a product or ratio is


@dataclass
class Graph:
    """Nodes in an order in which each needs only earlier ones."""

    nodes: list[Node] = field(default_factory=list)
    known: dict[Node, int] = field(default_factory=dict)

    def symbol(self, name: str) -> Symbol:
        """An input."""
        return Symbol(self, self.index(("input", name)))

    def index(self, node: Node) -> int:
        """Number of a node, an equal one's if there is one."""
        if node not in self.known:
            self.known[node] = len(self.nodes)
            self.nodes.append(node)
        return self.known[node]

    def operand(self, value: Any) -> int:
        """Number of a symbol or of a plain number."""
        if isinstance(value, Symbol):
            return value.number
        if np.ndim(value):
            raise TypeError("an array met a symbol: trace with symbols and plain numbers only")
        return self.index(("constant", float(value)))

    def apply(self, name: str, *operands: Any) -> Symbol:
        """A new node, or an equal one; the log of an exponential is what stands in the exponent."""
        node: Node = (name, *(self.operand(value) for value in operands))
        simpler = self.log(node[1]) if name == "log" else None
        return Symbol(self, self.index(node)) if simpler is None else simpler

    def log(self, number: int) -> Symbol | None:
        """ln of a node that is an exponential, or one times or over something; None of any other."""
        name, *parts = self.nodes[number]
        if name == "exp":
            return Symbol(self, parts[0])
        if name not in CHAINS:
            return None
        exponents = [self.nodes[part][1] if self.nodes[part][0] == "exp" else None for part in parts]
        if exponents == [None, None]:
            return None
        logs = (
            self.apply("log", Symbol(self, part)) if exponent is None else Symbol(self, exponent)
            for part, exponent in zip(parts, exponents, strict=True)
        )
        return self.apply(CHAINS[name], *logs)


type Node = tuple[Any, ...]  # ("input", name), ("constant", value) or (operation, numbers of its operands)


class Symbol(np.lib.mixins.NDArrayOperatorsMixin):
    """One node of a graph, standing for an array over draws."""

    ndim = 0
    shape = ()
    size = 1

    def __init__(self, graph: Graph, number: int):
        self.graph, self.number = graph, number

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """NEP 13: what NumPy's functions and operators do with a symbol."""
        if method != "__call__" or options or ufunc not in UFUNCS:
            return NotImplemented
        return self.graph.apply(UFUNCS[ufunc], *inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        """NEP 18: ``where`` is an operation; shapes mean nothing to a symbol."""
        if function is np.where:
            return self.graph.apply("where", *args)
        if function is np.clip:
            return np.minimum(np.maximum(args[0], args[1]), args[2])
        if function is np.broadcast_to:
            return args[0]
        if function is np.shape:
            return ()
        return NotImplemented

    def __getitem__(self, key: Any) -> Symbol:
        """``x[()]``, by which equations turn 0-d arrays into scalars."""
        return self

    def __bool__(self) -> bool:
        raise TypeError("a symbol has no truth value: choose with np.where")


def evaluated(graph: Graph, wanted: Iterable[int], inputs: Mapping[str, Any]) -> dict[int, Any]:
    """Values of some nodes by NumPy, from the values of the inputs.

    >>> graph = Graph()
    >>> x = graph.symbol("x")
    >>> y = np.where(x > 1.0, np.log(x), x - 1.0)
    >>> evaluated(graph, [y.number], {"x": np.array([0.5, 1.0])})[y.number].tolist()
    [-0.5, 0.0]
    """
    with np.errstate(all="ignore"):
        values = computed(graph, needed(graph, wanted), inputs)
    return {number: values[number] for number in wanted}


def computed(
    graph: Graph,
    order: Iterable[int],
    inputs: Mapping[str, Any],
    known: Mapping[int, Any] | None = None,
    functions: Mapping[str, Any] = FUNCTIONS,
) -> dict[int, Any]:
    """Values of nodes in the order that they need each other, with those that are `known`, by one library's functions."""
    values = dict(known or {})
    for number in order:
        name, *operands = graph.nodes[number]
        if name == "input":
            values[number] = inputs[operands[0]]
        elif name == "constant":
            values[number] = operands[0]
        else:
            values[number] = functions[name](*(values[operand] for operand in operands))
    return values


def input_names(graph: Graph, numbers: Iterable[int], apart: str | None = None) -> list[str]:
    """Names of the inputs among some nodes, one of them apart."""
    nodes = (graph.nodes[number] for number in numbers)
    return [node[1] for node in nodes if node[0] == "input" and node[1] != apart]


def needed(graph: Graph, wanted: Iterable[int]) -> list[int]:
    """Numbers of all nodes that some nodes need, themselves included, in order."""
    found: set[int] = set()
    waiting = list(wanted)
    while waiting:
        number = waiting.pop()
        if number not in found:
            found.add(number)
            waiting.extend(operands(graph.nodes[number]))
    return sorted(found)


def operands(node: Node) -> tuple[int, ...]:
    """Numbers of the nodes that a node is computed from."""
    return () if node[0] in ("input", "constant") else node[1:]


def dependent(graph: Graph, inputs: Iterable[str]) -> set[int]:
    """Numbers of all nodes that depend on some of the inputs."""
    names, found = set(inputs), set[int]()
    for number, node in enumerate(graph.nodes):
        if (node[0] == "input" and node[1] in names) or not found.isdisjoint(operands(node)):
            found.add(number)
    return found
