"""What `forecast.equations` offers."""

from __future__ import annotations

import inspect
import subprocess
import sys

from forecast import equations


def test_the_table_of_contents_is_complete_and_sorted() -> None:
    assert equations.__all__ == sorted(equations.__all__)
    assert all(hasattr(equations, name) for name in equations.__all__)


def test_every_public_function_of_a_block_has_an_example() -> None:
    blocks = [getattr(equations, name) for name in equations.__all__]
    for block in filter(inspect.ismodule, blocks):
        for name, function in inspect.getmembers(block, inspect.isfunction):
            if function.__module__ == block.__name__ and not name.startswith("_"):
                assert ">>>" in (function.__doc__ or ""), f"{block.__name__}.{name} has no example"


def test_the_closed_forms_need_neither_pymc_nor_pandas() -> None:
    program = "import sys, forecast.equations; print({'pymc', 'arviz', 'pandas', 'xarray'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
