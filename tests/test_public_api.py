"""What `import forecast` gives, and what it must not cost."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import forecast as fc
from forecast.errors import InputError
from forecast.runs import read_provenance

HEAVY = ("pymc", "numpy", "pandas", "xarray", "scipy", "matplotlib", "arviz", "nutpie", "pydantic", "jinja2")


def loaded_by(program: str) -> set[str]:
    told = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(told.stdout.split())


def test_importing_it_loads_nothing_heavy() -> None:
    assert not loaded_by("import forecast") & set(HEAVY)


def test_the_command_line_loads_nothing_heavy_before_a_command_runs() -> None:
    loaded = loaded_by("import forecast.cli")
    assert "click" in loaded
    assert not loaded & set(HEAVY)


def test_no_room_shadows_a_public_function() -> None:
    for module in pkgutil.walk_packages(fc.__path__, "forecast."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in fc.__all__:
        value = getattr(fc, name)
        assert name in ("__version__", "equations") or callable(value), name
    assert fc.equations.__name__ == "forecast.equations"
    assert isinstance(fc.__version__, str)


def test_the_table_of_contents_is_sorted_complete_and_closed() -> None:
    assert fc.__all__ == sorted(fc.__all__)
    assert set(fc.__all__) <= set(dir(fc))
    with pytest.raises(AttributeError, match="module 'forecast' has no attribute 'telepathy'"):
        _ = fc.telepathy


def test_the_example_of_the_design_works(tmp_path: Path) -> None:
    priors = fc.load_priors("baseline").replace(depth_exponent=fc.interval("Normal", 0.1, 0.3))
    data = fc.load_observations(as_of="2026-11-01")
    run = fc.sample_prior(priors, data, draws=20, random_seed=1)
    ais = fc.project(run, scenario="baseline", years=range(2026, 2029))
    speed = fc.takeoff(run, scenario=["baseline", "software_only"], years=range(2026, 2029))
    assert ais.sizes == {"scenario": 1, "chain": 4, "draw": 20, "year": 3}
    assert list(speed.scenario.values) == ["baseline", "software_only"]
    assert set(fc.summary(ais, prob=0.9).variable) == set(ais.data_vars)
    shares = fc.exceedance(ais.log10_parallel_streams, 8)
    expected = (ais.log10_parallel_streams.values > 8).mean(axis=(1, 2))
    np.testing.assert_allclose(shares.transpose("scenario", "year").values, expected)
    assert fc.plot_fan(ais.log10_parallel_streams).get_yscale() == "log"
    assert fc.equations.tokens_per_second_after_training(params=1e14, training_seconds=3e7) == 2e8


def test_a_report_needs_the_priors_that_made_the_run(tmp_path: Path) -> None:
    data = fc.load_observations()
    priors = fc.load_priors().replace(taste_ceiling=10.0)
    run = fc.sample_prior(priors, data, draws=20)
    with pytest.raises(InputError, match="other priors or tables"):
        fc.report(run, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    page = fc.report(run, tmp_path / "out", years=range(2027, 2029), priors=priors, observations=data)
    text = page.read_text(encoding="utf-8")
    assert page == tmp_path / "out" / "report.html"
    assert "Davidson" in text
    assert sorted(path.name for path in page.parent.iterdir()) == ["figures", "report.html", "report.md", "summary.csv"]
    assert "parameters" not in read_provenance(run)
