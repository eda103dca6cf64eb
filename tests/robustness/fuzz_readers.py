"""Atheris on the readers of TOML and CSV for a bounded time: ``python fuzz_readers.py toml|csv SECONDS FOLDER``.

Coverage of our readers and of what they call in Python leads the search, from valid files on. Whatever is neither accepted
with finite numbers nor refused in a clear message ends it, with the input. The last line of stdout is JSON:
inputs tried, seconds. libFuzzer leaves by itself, so everything is printed by its last input.
"""

from __future__ import annotations

import atexit
import json
import sys
import time
import warnings
from pathlib import Path

import atheris  # type: ignore[import-not-found]

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

with atheris.instrument_imports(include=["forecast", "tomllib", "csv"]):
    from robustness import strategies as bad
    from robustness.readers import KINDS, check_message, fault_of

SEEDS = {
    "toml": [bad.document(tree) for tree in (bad.OVERLAY, bad.SCENARIO)] + [bad.shipped_block("depth_scaling")],
    "csv": [bad.shipped_table("run_durations"), bad.shipped_table("time_horizons"), bad.RESOLUTIONS],
}
WORDS = {
    "toml": [
        "[priors.",
        "interval = [",
        "quantiles = {",
        "params = {",
        "value = ",
        "mass = ",
        '"as_of"',
        "nan",
        "inf",
        "1e308",
    ],
    "csv": ["model,date,", '"', "\r\n", "2026-02-30", "1e308", "nan", "\x00", ",,", "low,high,mass"],
}
READERS = {"toml": ("overlay",), "csv": ("table run_durations", "table time_horizons", "resolutions")}


def main(reader: str, seconds: float, folder: Path) -> None:
    """Fuzz one reader."""
    corpus, start, tried = folder / "corpus", time.monotonic(), [0]
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[reader]):
        (corpus / f"seed{number}").write_bytes(seed.encode())
    words = folder / "words"
    lines = ["".join(f"\\x{byte:02x}" for byte in word.encode()) for word in WORDS[reader]]
    words.write_text("".join(f'"{line}"\n' for line in lines), encoding="ascii")
    warnings.simplefilter("error")

    def say() -> None:
        print(json.dumps({"inputs": tried[0], "seconds": round(time.monotonic() - start, 1)}), flush=True)

    def one(data: bytes) -> None:
        tried[0] += 1
        for kind in READERS[reader]:
            path = folder / str(KINDS[kind].file)
            path.write_bytes(data)
            message = fault_of(KINDS[kind], path)
            if message is not None:
                check_message(message, KINDS[kind].place(path))
        if time.monotonic() - start > seconds:
            say()
            sys.stdout.flush()
            import os

            os._exit(0)

    atexit.register(say)
    # -max_total_time is a second bound, where one input alone takes long; -timeout makes such an input a fault
    limits = [f"-max_total_time={int(seconds) + 60}", "-timeout=60", "-rss_limit_mb=8000", "-max_len=4096", "-seed=1"]
    found = [f"-artifact_prefix={folder}/", f"-dict={words}", str(corpus)]
    atheris.Setup([sys.argv[0], *limits, *found], one)
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--version"]:
        print(f"atheris on Python {sys.version.split()[0]}")
    else:
        main(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]))
