"""The overlay file that states a prior of one's own, written so that `read_overlay` takes it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from forecast.errors import InputError
from forecast.prior_files import JUDGEMENT
from forecast.priors import read_overlay
from forecast.statements import Prior
from forecast.whole_files import replacing


def overlay_text(prior: Prior, rationale: str, description: str = "") -> str:
    """The overlay file that states one prior, with source "judgement".

    Parameters
    ----------
    prior : Prior
        With a name and units, as `elicited` returns it.
    rationale : str
        Why; it must not be empty.
    description : str
        What the overlay is; "Own prior of NAME." if empty.

    Returns
    -------
    str
        TOML, as `read_overlay` takes it.

    Raises
    ------
    InputError
        For an empty rationale or a prior without a name.

    Examples
    --------
    >>> from forecast.elicitation.elicited import elicited
    >>> print(overlay_text(elicited("returns", {0.05: 0.6, 0.95: 1.7}), "A guess."))
    [overlay]
    description = "Own prior of returns."
    <BLANKLINE>
    [priors.returns]
    distribution = "LogNormal"
    interval = [0.6, 1.7]
    mass = 0.9
    units = "1"
    source = ["judgement"]
    rationale = "A guess."
    <BLANKLINE>
    """
    return f"[overlay]\ndescription = {quoted(description or f'Own prior of {prior.name}.')}\n\n" + entry_text(
        prior, rationale
    )


def entry_text(prior: Prior, rationale: str) -> str:
    """The table of one prior in an overlay file."""
    if not prior.name:
        raise InputError("a prior without a name has no place in a file: make it with elicited(name, quantiles)")
    if not rationale.strip():
        raise InputError(f"{prior.name}: a judgement needs its reason in one sentence: give a rationale")
    said = {} if prior.distribution == "fixed" else {"distribution": prior.distribution}
    said |= prior.statement | {"units": prior.units, "source": [JUDGEMENT], "rationale": rationale.strip()}
    return "\n".join([f"[priors.{prior.name}]", *(f"{key} = {toml(value)}" for key, value in said.items()), ""])


def save_overlay(prior: Prior, path: str | Path, rationale: str, description: str = "") -> Path:
    """Write the overlay of one prior, or add it to an overlay that does not state it; it is read back before it counts.

    Parameters
    ----------
    prior : Prior
        With a name and units, as `elicited` returns it.
    path : str or Path
        A file that ends in .toml.
    rationale : str
        Why; it must not be empty.
    description : str
        What a new overlay is; "Own prior of NAME." if empty.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    InputError
        If the path does not end in .toml, the file there is no overlay or states the parameter already, the rationale is
        empty, or what would be written cannot be read back. Nothing is written then.

    Examples
    --------
    >>> from forecast.elicitation.elicited import elicited
    >>> save_overlay(elicited("returns", {0.05: 0.6, 0.95: 1.7}), "mine.toml", "A guess.")  # doctest: +SKIP
    """
    target = Path(path)
    if target.suffix != ".toml":
        raise InputError(f"{target}: an overlay file ends in .toml: write {target.name or 'mine'}.toml")
    text = overlay_text(prior, rationale, description)
    if target.exists():
        if prior.name in read_overlay(target).entries:
            raise InputError(f"{target}: states {prior.name} already: choose another file, or take that table out")
        text = target.read_text(encoding="utf-8").rstrip("\n") + "\n\n" + entry_text(prior, rationale)
    try:
        with replacing(target, suffix=".toml") as partial:
            partial.write_text(text, encoding="utf-8", newline="\n")
            read_overlay(partial)
    except OSError as error:
        raise InputError(f"{target}: cannot be written ({error.strerror}); choose another file") from error
    return target


def toml(value: Any) -> str:
    r"""A value of a statement as TOML writes it.

    >>> toml({"0.05": 0.1, "0.95": 1e30}), toml([1.0, 2.5]), toml('a "b"')
    ('{ "0.05" = 0.1, "0.95" = 1e+30 }', '[1.0, 2.5]', '"a \\"b\\""')
    """
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{toml_key(str(key))} = {toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Iterable):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return repr(float(cast(float, value)))


def toml_key(key: str) -> str:
    """A key, in quotes where it is not a bare word."""
    return key if key.isidentifier() and key.isascii() else quoted(key)


def quoted(text: str) -> str:
    """A TOML string: that of JSON, which leaves DEL as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
