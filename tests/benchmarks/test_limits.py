"""The machine's limits are numbers that a machine can have."""

from __future__ import annotations

import pytest
from benchmarks.limits import exp_throughput, log_throughput, memory_bandwidth, numpy_exp_throughput


@pytest.mark.slow
def test_limits_are_of_the_order_of_a_machine() -> None:
    assert 1e8 < memory_bandwidth() < 1e13
    for found in (exp_throughput(), log_throughput(), numpy_exp_throughput()):
        assert 1e6 < found < 1e11
