"""The joint model as machine code: compiled, or as an earlier process left it in the user's cache.

Compiling takes half a minute, of which numba keeps a part: nutpie's wrapper it compiles anew in every process, after
PyTensor has rewritten the graph anew. So the finished wrapper is kept, as numba itself keeps functions, under a hash of
what the model is made of, of the libraries and of the processor. Whatever cannot be kept or read is compiled.
``tests/test_compiling.py`` samples from both and compares draws to the last bit.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import platform
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np

from forecast.observations import Observations
from forecast.places import cache_folder, private, sources_digest
from forecast.priors import Priors
from forecast.runs import version_of
from forecast.whole_files import replacing

LIBRARIES = ("numpy", "scipy", "pymc", "pytensor", "nutpie", "numba", "llvmlite")  # that write or run the code
SOURCES = ("*.py", "equations/*.py", "model/*.py")  # that a model is made by
FUNCTIONS = ("logp", "expand")
PARTS = ("object", "bitcode")
ENVIRONMENT = re.compile(r'load ptr, ptr @"?(_ZN08NumbaEnv[\w$.]+)')
MOST_KEPT = 12  # models of 3 MB


class Code(NamedTuple):
    """A function of a kept model, with what must live as long as its address is used."""

    address: int
    library: Any
    environments: tuple[Any, ...]


class Shared(NamedTuple):
    """Name and number of dims of what `with_data` may replace."""

    name: str
    ndim: int


def digests_of(priors: Priors, observations: Observations, blocks: Sequence[str]) -> tuple[str, ...]:
    """What tells a model from others of the same sources: digests of its priors and tables, and names of its blocks."""
    return (priors.digest, observations.digest, *blocks)


def compiled_model(model: Any, digests: Sequence[str] | None = None) -> Any:
    """The model for nutpie's numba backend, named explicitly.

    Parameters
    ----------
    model : pymc.Model
    digests : sequence of str, optional
        Of `digests_of`. With them the machine code is kept, and taken from an earlier process that made it of the same.
    """
    if digests is None:
        return compiled(model)
    # no such file or a damaged one, no folder, or a version of numba or nutpie that names its parts otherwise: compiled
    with suppress(Exception):
        return loaded(kept_file(digests), model)
    found = compiled(model)
    with suppress(Exception):
        keep(found, kept_file(digests))
    return found


def kept_file(digests: Sequence[str]) -> Path:
    """Where a model's machine code is kept."""
    return private(cache_folder()) / "models" / f"{key_of(digests)}.npz"


def compiled(model: Any) -> Any:
    """The model compiled now."""
    import nutpie
    import pytensor

    # fastmath lets rounding depend on whether a kernel came from the cache: same seed, other numbers
    with pytensor.config.change_flags(numba__fastmath=False), no_garbage_collected():
        return nutpie.compile_pymc_model(model, backend="numba")


@contextmanager
def no_garbage_collected() -> Iterator[None]:
    """Millions of small objects are made and nearly all are kept: looking for garbage among them took a quarter."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def key_of(digests: Sequence[str]) -> str:
    """Hash of what the machine code of a model depends on."""
    import pytensor
    from numba.core.registry import cpu_target

    processor = [str(part) for part in cpu_target.target_context.codegen().magic_tuple()]
    said = {name: value for name, value in os.environ.items() if name.startswith(("NUMBA_", "PYTENSOR_"))}
    flags = [
        pytensor.config.get_config_hash(),
        sorted(said.items() - {("NUMBA_CACHE_DIR", said.get("NUMBA_CACHE_DIR"))}),
    ]
    versions = [platform.python_version(), *map(version_of, LIBRARIES)]
    content = [list(digests), sources_digest(*SOURCES), processor, flags, versions]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]


def keep(found: Any, file: Path) -> None:
    """Write a compiled model's machine code, and what nutpie knows of its variables; half a file is never seen.

    Raises
    ------
    ValueError
        If the code holds addresses of this process.
    OSError
        If the folder cannot be written.
    """
    codes = {"logp": found.compiled_logp_func, "expand": found.compiled_expand_func}
    arrays: dict[str, Any] = {}
    functions = {}
    for name, function in codes.items():
        library = function._library
        if library.has_dynamic_globals:
            raise ValueError(f"{name} holds addresses of this process")
        own, _, parts = library.serialize_using_object_code()
        arrays |= {f"{name}_{kind}": np.frombuffer(part, np.uint8) for kind, part in zip(PARTS, parts, strict=True)}
        functions[name] = {"library": own, "function": function.native_name, "environments": environments(library)}
    names, slices, shapes = found.shape_info
    keys = list(found.shared_var_keys.items())
    about = {
        "functions": functions,
        "sizes": [found.n_dim, found.n_expanded],
        "variables": [names, [[one.start, one.stop] for one in slices], [list(shape) for shape in shapes]],
        "reparameterized": list(found.reparameterized_names),
        "shared": [variable.name for variable, _ in keys],
    }
    arrays |= {f"shared_{i}": found.shared_data[key] for i, (_, key) in enumerate(keys)}
    with replacing(file, file.suffix) as partial:
        np.savez(partial, about=np.array(json.dumps(about, default=int)), **arrays)
    drop_oldest(file.parent)


def environments(library: Any) -> list[tuple[str, str]]:
    """What some functions look up as they run, such as where BLAS is: their names for it, and the modules they are of.

    Raises
    ------
    ValueError
        If one of them needs more than its module.
    """
    from numba.core.environment import lookup_environment

    found = []
    for name in sorted(set(ENVIRONMENT.findall(library.get_llvm_str()))):
        environment = lookup_environment(name)  # type: ignore[no-untyped-call]
        if environment is not None:
            if environment.consts or not environment.can_cache():
                raise ValueError(f"{name} holds objects of this process")
            found.append((name, environment.globals["__name__"]))
    return found


def drop_oldest(folder: Path) -> None:
    """Leave the newest models."""
    for file in sorted(folder.glob("*.npz"), key=lambda file: file.stat().st_mtime)[:-MOST_KEPT]:
        file.unlink(missing_ok=True)


def loaded(file: Path, model: Any) -> Any:
    """The compiled model of a file that `keep` wrote for the same `model`.

    Raises
    ------
    OSError, KeyError, ValueError
        If there is none or it is damaged: each part has a checksum.
    """
    from nutpie.compile_pymc import CompiledPyMCModel, _prepare_dims_and_coords, make_user_data

    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as content:
            parts = {name: content[name] for name in content.files}
    except (BadZipFile, EOFError) as error:
        raise ValueError(f"{file} is damaged") from error
    about = json.loads(parts["about"].item())
    names, ends, shapes = about["variables"]
    shapes = [tuple(shape) for shape in shapes]
    shape_info = (names, [slice(*end) for end in ends], shapes)
    functions = {name: code_of(about["functions"][name], parts, name) for name in FUNCTIONS}
    shared = [(Shared(name, parts[f"shared_{i}"].ndim), parts[f"shared_{i}"]) for i, name in enumerate(about["shared"])]
    data = {f"shared_{i}": values for i, (_, values) in enumerate(shared)}
    keys = {variable: key for (variable, _), key in zip(shared, data, strict=True)}
    for values in data.values():
        values.flags.writeable = False
    dims, coords = _prepare_dims_and_coords(model, shape_info, about["reparameterized"])
    return CompiledPyMCModel(
        _n_dim=about["sizes"][0],
        n_expanded=about["sizes"][1],
        dims=dims,
        _coords=coords,
        _shapes=dict(zip(names, shapes, strict=True)),
        compiled_logp_func=functions["logp"],
        compiled_expand_func=functions["expand"],
        initial_point_func=initial_point_of(model, names, shapes),
        shared_data=data,
        shared_var_keys=keys,
        user_data=make_user_data(keys, data),
        shape_info=shape_info,
        logp_func=None,
        expand_func=None,
        reparameterized_names=about["reparameterized"],
    )


def code_of(about: dict[str, Any], parts: dict[str, Any], name: str) -> Code:
    """A function put into place, as numba does with one from its own cache.

    Raises
    ------
    ValueError
        If it is not there.
    """
    from numba.core.environment import _rebuild_env
    from numba.core.registry import cpu_target
    from numba.core.runtime import rtsys  # type: ignore[attr-defined]

    context = cpu_target.target_context
    rtsys.initialize(context)
    codegen = context.codegen()
    content = tuple(parts[f"{name}_{kind}"].tobytes() for kind in PARTS)
    library = codegen.unserialize_library((about["library"], "object", content))
    own = []
    for key, module in about["environments"]:
        own.append(_rebuild_env(module, [], key))  # type: ignore[no-untyped-call]
        codegen.set_env(key, own[-1])
    address = library.get_pointer_to_function(about["function"])
    if not address:
        raise ValueError(f"no function {name} in it")
    return Code(address, library, tuple(own))


def initial_point_of(model: Any, names: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> Any:
    """Where chains start, by their seed: what `nutpie.compile_pymc_model` makes of its defaults."""
    from nutpie.compile_pymc import _rv_dict_to_flat_array_wrapper, _wrap_with_lock
    from pymc.initial_point import make_initial_point_fn

    free = len(model.free_RVs)
    start = make_initial_point_fn(
        model=model,
        overrides=None,
        default_strategy="support_point",
        jitter_rvs=set(model.free_RVs),
        return_transformed=True,
    )
    return _rv_dict_to_flat_array_wrapper(_wrap_with_lock(start), names=names[:free], shapes=shapes[:free])
