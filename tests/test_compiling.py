"""A model's machine code: what another process finds samples as what was compiled, and whatever is wrong is compiled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecast import compiling
from forecast.compiling import MOST_KEPT, compiled_model, key_of, loaded

DRAWS = """
import json, sys
import numpy as np, pymc as pm
from forecast import compiling
from forecast.fitting import drawn

def small():
    with pm.Model(coords={"place": ["a", "b", "c"]}) as model:
        rows = pm.Data("rows", np.array([1.0, 2.5, 4.0]), dims="place")
        weights = np.arange(12.0).reshape(4, 3) / 10.0
        scale = pm.HalfNormal("scale")
        level = pm.Normal("level", dims="place")
        pm.Normal("seen", (weights @ level)[:3], scale, observed=rows, dims="place")
    return model

real, compilations = compiling.compiled, []
compiling.compiled = lambda model: compilations.append(1) or real(model)
model = compiling.compiled_model(small(), ["small"])
settings = {"draws": 40, "tune": 100, "chains": 2, "random_seed": 3}
told = {"compilations": len(compilations)}
for name, data in (("first", model), ("second", model.with_data(rows=np.array([9.0, 9.0, 9.0])))):
    draws = drawn(data, settings)["posterior"]
    told[name] = {key: values.values.ravel().tolist() for key, values in draws.data_vars.items()}
    told["dims"] = {key: list(values.dims) for key, values in draws.data_vars.items()}
print(json.dumps(told))
"""


def told(folder: Path) -> dict[str, Any]:
    """What a fresh process draws from a small model with a table and a product of a matrix, kept in a folder."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(folder)}
    done = subprocess.run([sys.executable, "-c", DRAWS], capture_output=True, text=True, env=environment, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("code")


@pytest.fixture(scope="module")
def first(folder: Path) -> dict[str, Any]:
    return told(folder)


@pytest.fixture(scope="module")
def kept(folder: Path, first: dict[str, Any]) -> Path:
    (file,) = (folder / "forecast" / "models").iterdir()
    return file


def test_a_second_process_compiles_nothing_and_draws_the_same(folder: Path, first: dict[str, Any], kept: Path) -> None:
    second = told(folder)
    assert (first.pop("compilations"), second.pop("compilations")) == (1, 0)
    assert second == first
    assert first["first"] != first["second"]  # the table that was put in its place is read
    assert first["dims"]["level"] == ["chain", "draw", "place"]


def test_what_is_kept_holds_no_python_objects(kept: Path) -> None:
    with np.load(kept, allow_pickle=False) as content:
        about = json.loads(content["about"].item())
        assert all(content[name].dtype != object for name in content.files)
    assert about["shared"] == ["rows"]
    assert {module.split(".")[0] for one in about["functions"].values() for _, module in one["environments"]} <= {
        "pytensor",
        "numba",
    }


@pytest.mark.parametrize("damage", ["cut short", "a byte changed", "empty", "text"])
def test_a_damaged_file_is_compiled_anew(
    damage: str, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray(kept.read_bytes())
    if damage == "a byte changed":
        content[len(content) // 2] ^= 255
    spoiled = {"cut short": content[: len(content) // 2], "empty": b"", "text": b"no code"}.get(damage, content)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    file = tmp_path / "forecast" / "models" / f"{key_of(['damaged'])}.npz"
    file.parent.mkdir(parents=True)
    file.write_bytes(spoiled)
    monkeypatch.setattr(compiling, "compiled", lambda model: "compiled anew")
    assert compiled_model("model", ["damaged"]) == "compiled anew"
    with pytest.raises((OSError, ValueError, KeyError)):
        loaded(file, "model")


def test_where_nothing_can_be_written_it_is_compiled_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    monkeypatch.setattr(compiling, "compiled", lambda model: "compiled")
    assert compiled_model("model", ["nowhere"]) == "compiled"


def test_other_priors_other_flags_and_other_sources_are_other_code(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_of(["priors", "tables"])
    assert key_of(["priors", "tables"]) == before
    assert key_of(["other", "tables"]) != before
    monkeypatch.setenv("PYTENSOR_FLAGS", "optimizer_verbose=False")
    assert key_of(["priors", "tables"]) != before
    monkeypatch.delenv("PYTENSOR_FLAGS")
    monkeypatch.setattr(compiling, "sources_digest", lambda *patterns: "edited")
    assert key_of(["priors", "tables"]) != before


def test_the_newest_models_are_left(tmp_path: Path) -> None:
    for i in range(MOST_KEPT + 3):
        file = tmp_path / f"{i:02}.npz"
        file.touch()
        os.utime(file, (i, i))
    compiling.drop_oldest(tmp_path)
    assert sorted(file.stem for file in tmp_path.iterdir()) == [f"{i:02}" for i in range(3, MOST_KEPT + 3)]


@pytest.mark.slow
def test_the_joint_model_draws_the_same_from_kept_code(tmp_path: Path) -> None:
    fitted = """
import hashlib
import forecast as fc
run = fc.fit(fc.load_priors(), fc.load_observations(), draws=20, tune=60, chains=2, random_seed=4)
print(hashlib.sha256(b"".join(values.values.tobytes() for values in run["posterior"].data_vars.values())).hexdigest())
"""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    first, second = (
        subprocess.run(
            [sys.executable, "-c", fitted], capture_output=True, text=True, env=environment, check=True
        ).stdout
        for _ in range(2)
    )
    assert first == second
    assert len(list((tmp_path / "forecast" / "models").iterdir())) == 1
