"""Loops made from our own equations as machine code, kept on disk so that the next process does not compile again.

Source and everything it was made from stand in one file, in a folder named by its hash and by the versions of what
compiles it: an edited equation is another file, so that stale machine code is never loaded. The folder is
``forecast`` in NUMBA_CACHE_DIR, XDG_CACHE_HOME or ~/.cache, and the user's alone, for what is in it is run; where it cannot
be written or is another user's, compiling starts anew in each process.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from types import ModuleType

from forecast.places import cache_folder, private
from forecast.whole_files import replacing

HEADER = '''"""Made by forecast from its own equations, to be compiled; nothing here is meant to be edited."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

sqrt = np.sqrt
inlined = njit(forceinline=True, error_model="numpy", fastmath={{"contract"}})
plain = njit(nogil=True, error_model="numpy", cache={kept})
fused = njit(nogil=True, error_model="numpy", cache={kept}, fastmath={{"contract", "nsz"}})
'''
FILE = "take_off.py"
MADE: dict[str, ModuleType] = {}
ONE_AT_A_TIME = Lock()


def source_of(module: ModuleType, decorator: str = "") -> str:
    """Constants and functions of a module as source, each function under a decorator if one is named."""
    own = [value for value in vars(module).values() if getattr(value, "__module__", None) == module.__name__]
    constants = [f"{name} = {value!r}" for name, value in vars(module).items() if name.isupper()]
    functions = [inspect.getsource(getattr(value, "py_func", value)) for value in own if callable(value)]
    under = f"@{decorator}\n" if decorator else ""
    return "\n".join(constants) + "\n\n\n" + "\n\n".join(under + text for text in functions)


def machine_code(source: str) -> ModuleType:
    """The functions of some source, compiled when first called with arrays of a kind, or found compiled on disk.

    Parameters
    ----------
    source
        Functions under ``@plain`` or, where products may fuse with sums, ``@fused``; they need no import but NumPy's ``np``.
    """
    with ONE_AT_A_TIME:  # two threads may want it, and a module is seen by others while it is still being made
        if source not in MADE:
            MADE[source] = made(source)
        return MADE[source]


def made(source: str) -> ModuleType:
    """A module of some source, on disk where that can be."""
    try:
        return imported(kept_source(HEADER.format(kept=True) + source))
    except (OSError, RuntimeError):  # the folder cannot be written, by us or by numba
        module = ModuleType("forecast_take_off")
        exec(compile(HEADER.format(kept=False) + source, "<take-off>", "exec"), vars(module))  # our own equations
        return module


def kept_source(text: str) -> Path:
    """The file that holds some source, written unless it does already; half a file is never seen.

    Raises
    ------
    OSError
        If it can neither be read nor written.
    """
    file = private(cache_folder()) / key_of(text) / FILE
    if file.is_file() and file.read_text(encoding="utf-8") == text:
        return file
    with replacing(file) as partial:
        partial.write_text(text, encoding="utf-8")
        os.utime(partial, (0, 0))  # numba takes a file of another date for another file, and two processes may write it
    return file


def key_of(text: str) -> str:
    """Name of the folder of some source: its hash and that of the versions that compile it.

    >>> key_of("x = 1") == key_of("x = 1"), key_of("x = 1") == key_of("x = 2")
    (True, False)
    """
    versions = (platform.python_version(), *(version(name) for name in ("numpy", "numba", "llvmlite")))
    return hashlib.sha256("\n".join((text, *versions)).encode()).hexdigest()[:20]


def imported(file: Path) -> ModuleType:
    """A source file as a module, under a name of its own, by which numba finds its functions again."""
    name = f"forecast_take_off_{file.parent.name}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[name] = module
    return module
