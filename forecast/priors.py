"""Prior sets: a folder of TOML files, varied by overlays, as one frozen mapping with a digest.

>>> load_priors()["depth_exponent"].params["mu"]
0.25
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecast.documents import shown
from forecast.errors import InputError, clear
from forecast.families import FAMILIES, suggestion
from forecast.overlays import (
    AnyOverlay,
    Overlay,
    chain,
    known_names,
    overlay_files,
    overlay_path,
)
from forecast.places import priors_folder
from forecast.prior_files import (
    BLOCK_OF,
    BLOCKS_OF_NAMES,
    JUDGEMENT,
    MAY_BE_NONE,
    SCHEMA,
    PriorFile,
    Source,
    out_of_range,
    read_prior_file,
)
from forecast.schema import ALTERNATIVES, PRODUCTION
from forecast.statements import AS_OF, Prior, fixed, interval

__all__ = ["Overlay", "Prior", "Priors", "Source", "check_priors", "interval", "load_priors", "read_overlay"]

DIGITS = 12  # solved parameters differ in the last bits between machines; the digest must not


@dataclass(frozen=True)
class Priors(Mapping[str, Prior]):
    """A prior set: parameter name -> Prior, in the schema's order, with the sources cited and a scenario's settings.

    Attributes
    ----------
    sources : dict
        Source by key; "judgement" is not among them.
    settings : dict
        What scenario overlays set, such as ``freeze_compute``.
    overlays : tuple of str
        Descriptions of the overlays applied, in order.
    """

    entries: dict[str, Prior] = field(repr=False)
    sources: dict[str, Source] = field(default_factory=dict, repr=False)
    settings: dict[str, Any] = field(default_factory=dict)
    overlays: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Prior:
        return self.entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __hash__(self) -> int:
        return hash(self.digest)

    def block(self, name: str) -> dict[str, Prior]:
        """The priors of one block.

        >>> sorted(load_priors().block("algorithmic_progress"))
        ['software_doubling_months', 'software_study_scale']
        """
        found = {key: prior for key, prior in self.entries.items() if prior.block == name}
        if not found:
            raise InputError(f"no block named {name!r}{suggestion(name, {p.block for p in self.entries.values()})}")
        return found

    def replace(self, **changes: Prior | float) -> Priors:
        """A copy in which the named priors are replaced; a number fixes the parameter.

        Raises
        ------
        InputError
            For an unknown name, or a fixed value that the parameter cannot take.

        Examples
        --------
        >>> load_priors().replace(depth_exponent=interval("Normal", 0.1, 0.3), text_epochs=2.0)["text_epochs"].params
        {'value': 2.0}
        """
        entries = dict(self.entries)
        for name, change in changes.items():
            if name not in entries:
                raise InputError(f"no prior named {name!r}{suggestion(name, entries)}")
            entries[name] = _renamed(entries[name], change)
        return replace(self, entries=entries)

    @cached_property
    def digest(self) -> str:
        """sha256 of names, distributions, parameters, bounds and units; words and settings do not count."""
        content = {
            name: [p.distribution, _rounded(p.params), _rounded(list(p.bounds or ())), p.units]
            for name, p in self.entries.items()
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def to_frame(self, as_of: float | None = None) -> pd.DataFrame:
        """One row per parameter with its 5%, 50% and 95% quantiles.

        Parameters
        ----------
        as_of : float, optional
            Decimal year of the data's date; without it the quantiles of a prior bounded by it are NaN.

        Examples
        --------
        >>> load_priors().to_frame(as_of=2026.83).set_index("name").loc["returns", ["q05", "q95"]].round(6).tolist()
        [0.4, 2.5]
        """
        return pd.DataFrame([_row(prior, as_of) for prior in self.entries.values()])


def load_priors(name_or_path: str | Path = "baseline", overlays: AnyOverlay | Iterable[AnyOverlay] = ()) -> Priors:
    """Read a prior set and apply overlays in order.

    Parameters
    ----------
    name_or_path : str or Path
        A shipped set ("baseline") or a folder of ``<block>.toml`` files.
    overlays : iterable of str, Path or Overlay
        Names of shipped views or scenarios, paths of overlay files, or what ``forecast.assignments.assigned`` returns;
        each entry replaces the one before.

    Returns
    -------
    Priors
        A frozen mapping of parameter name to `Prior`.

    Raises
    ------
    InputError
        With all faults, one a line: ``path:line: key: what is wrong: remedy``.
    DataMissingError
        Where the package was installed without its prior files.

    Examples
    --------
    >>> import forecast as fc
    >>> fc.load_priors(overlays=["davidson2023"])["depth_exponent"].units
    '1'
    """
    faults: list[str] = []
    if isinstance(overlays, str | Path | Overlay):
        overlays = (overlays,)
    priors = _read_set(_set_folder(name_or_path), faults)
    for overlay in [one if isinstance(one, Overlay) else overlay_path(one) for one in overlays]:
        priors = _overlaid(priors, overlay, faults)
    if faults:
        raise InputError("\n".join(map(clear, faults)))
    return priors


def shipped_priors() -> Priors:
    """The shipped set, read again only where a file has changed: overlays are held against it again and again."""
    return _baseline(_fingerprint(_set_folder("baseline")))


@cache
def _baseline(_fingerprint: tuple[tuple[str, int, int], ...]) -> Priors:
    """The shipped set in this state of its files."""
    return load_priors("baseline")


def _fingerprint(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes when a file of a folder does."""
    found = [(path, path.stat()) for path in _files_of(folder)]
    return tuple((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in found)


def check_priors(path: str | Path | None = None) -> list[str]:
    """All faults of a set (default: the shipped one with its views and scenarios) or of one overlay file.

    >>> check_priors()
    []
    """
    faults: list[str] = []
    if path is not None and Path(path).suffix == ".toml":
        _overlaid(_read_set(_set_folder("baseline"), faults), overlay_path(path), faults)
        return list(map(clear, faults))
    priors = _read_set(_set_folder("baseline" if path is None else path), faults)
    for file in overlay_files().values() if path is None else ():
        _overlaid(priors, file, faults)
    return list(map(clear, faults))


def _set_folder(name_or_path: str | Path) -> Path:
    shipped = priors_folder()
    names = sorted(folder.parent.name for folder in shipped.glob("*/depth_scaling.toml"))
    if str(name_or_path) in names:
        return shipped / str(name_or_path)
    folder = Path(name_or_path)
    if not folder.is_dir():
        raise InputError(
            f"{shown(folder)}: no such folder of prior files, nor a set{known_names(str(name_or_path), names)}"
        )
    if not _files_of(folder):
        raise InputError(f"{shown(folder)}: holds no .toml file: copy the baseline set there and edit it")
    return folder


def _files_of(folder: Path) -> list[Path]:
    """The files of a set; what an editor or a killed process left is hidden, and none of them."""
    return sorted(path for path in folder.glob("*.toml") if not path.name.startswith("."))


def _read_set(folder: Path, faults: list[str]) -> Priors:
    found: dict[str, Prior] = {}
    sources: dict[str, Source] = {}
    written: set[str] = set()
    for path in _files_of(folder):
        file = read_prior_file(path, faults)
        if file is None:
            written.update(BLOCKS_OF_NAMES.get(path.stem, ()))  # no telling what a broken file holds
            continue
        written |= file.written
        for name, prior in file.priors.items():
            if name in found:
                first = f"{found[name].file}:{found[name].line}"
                faults.append(f"{prior.file}:{prior.line}: priors.{name}: stands already in {first}: remove one")
            found.setdefault(name, prior)
        _merge_sources(sources, file, faults)
    faults.extend(_missing(folder, written))
    faults.extend(_stated_twice(found))
    ordered = [name for name in BLOCK_OF if name in found] + [name for name in found if name not in BLOCK_OF]
    return Priors({name: found[name] for name in ordered}, sources)


def _missing(folder: Path, written: set[str]) -> list[str]:
    return [
        f"{shown(folder / f'{block}.toml')}:1: priors.{name}: is missing: copy [priors.{name}] from the baseline set"
        for name, block in BLOCK_OF.items()
        if name not in written and name not in PRODUCTION and not written & replacing(name)
    ]


def read_overlay(overlay: AnyOverlay) -> Overlay:
    """One view or scenario by name or path, checked against the baseline set; an `Overlay` is checked likewise.

    Raises
    ------
    InputError
        With all faults, one a line.

    Examples
    --------
    >>> read_overlay("software_only").settings
    {'freeze_compute': True}
    """
    found, faults = overlay if isinstance(overlay, Overlay) else overlay_path(overlay), list[str]()
    priors = _overlaid(shipped_priors(), found, faults)
    if faults:
        raise InputError("\n".join(map(clear, faults)))
    if isinstance(found, Overlay):
        return replace(found, entries={name: priors[name] for name in found.entries})
    files = chain(found, faults)
    names = {name for file in files for name in file.priors}
    entries = {name: prior for name, prior in priors.items() if name in names}
    return Overlay(found.stem, files[-1].description, entries, priors.sources, priors.settings)


def _overlaid(priors: Priors, overlay: Path | Overlay, faults: list[str]) -> Priors:
    """A set with the entries of one overlay, and of those that its file extends, in the place of its own."""
    if isinstance(overlay, Overlay):
        entries = {name: _named(name, prior) for name, prior in overlay.entries.items()}
        return _with_entries(priors, entries, overlay.sources, overlay.settings, overlay.description, faults)
    for file in chain(overlay, faults):
        priors = _with_entries(priors, file.priors, file.sources, file.settings, file.description, faults)
    return priors


def _named(name: str, prior: Prior) -> Prior:
    """An entry that was made in Python, with its name, block and units."""
    units = prior.units or (SCHEMA[name].units if name in SCHEMA else "")
    return replace(prior, name=name, block=prior.block or BLOCK_OF.get(name, ""), units=units)


def _stated_twice(found: Mapping[str, Prior]) -> list[str]:
    """A parameter that stands beside what may be stated instead of it."""
    return [
        f"{found[name].file}:{found[name].line}: priors.{name}: cannot stand beside priors.{instead}: give one of the two"
        for name, instead in ALTERNATIVES.items()
        if name in found and instead in found
    ]


def _with_entries(
    priors: Priors,
    stated: Mapping[str, Prior],
    own_sources: Mapping[str, Source],
    settings: Mapping[str, Any],
    description: str,
    faults: list[str],
) -> Priors:
    entries, sources = dict(priors.entries), priors.sources | dict(own_sources)
    for name, prior in stated.items():
        place = f"{prior.file}:{prior.line}: priors.{name}" if prior.file else name
        if name not in entries and replacing(name) & stated.keys():
            other = min(replacing(name) & stated.keys())
            faults.append(f"{place}: cannot stand beside {'priors.' if prior.file else ''}{other}: give one of the two")
        elif name not in entries and name not in PRODUCTION and not replacing(name) & entries.keys():
            faults.append(f"{place}: replaces nothing{suggestion(name, entries)}")
        elif name not in BLOCK_OF and prior.units != entries[name].units:
            faults.append(f"{place}.units: {prior.units!r} is not the unit here: convert to {entries[name].units!r}")
        else:
            entries[name] = replace(prior, block=entries[name].block if name in entries else prior.block)
            for other in replacing(name) | {ALTERNATIVES.get(name, "")}:
                entries.pop(other, None)
    for key in own_sources.keys() & priors.sources.keys():
        if own_sources[key].cite == priors.sources[key].cite:  # else the overlay words it in its own way
            sources[key] = _merged(priors.sources[key], own_sources[key])
    return Priors(entries, sources, priors.settings | dict(settings), (*priors.overlays, description))


def _merged(known: Source, new: Source) -> Source:
    """One work cited twice, with both locators."""
    if new.locator in known.locator.split("; "):
        return known
    return Source(known.cite, f"{known.locator}; {new.locator}")


def replacing(name: str) -> set[str]:
    """Parameters that may be stated instead of this one.

    >>> replacing("compute_share")
    {'infinite_compute_multiple'}
    """
    return {alternative for alternative, instead in ALTERNATIVES.items() if instead == name}


def _merge_sources(sources: dict[str, Source], file: PriorFile, faults: list[str]) -> None:
    """Within a set one key means one work."""
    for key, source in file.sources.items():
        known = sources.get(key, source)
        if known.cite != source.cite:
            message = f"means another work than in another file ({known.cite!r}): rename one key"
            faults.append(f"{shown(file.path)}:{source.line}: sources.{key}.cite: {message}")
        sources[key] = _merged(known, source)


def _renamed(old: Prior, change: Prior | float) -> Prior:
    """A replacement from Python under the old name; it takes the old units."""
    prior = change if isinstance(change, Prior) else fixed(change)
    wrong = unfit(prior, old)
    if wrong:
        raise InputError(f"{old.name} {wrong}")
    prior = replace(prior, name=old.name, block=old.block, units=prior.units or old.units)
    out = out_of_range(old.name, prior)
    if out:
        raise InputError(f"{old.name} {out}")
    if prior.source:
        return prior
    return replace(prior, source=(JUDGEMENT,), rationale="replaced from Python", file="", line=0)


def unfit(new: Prior, old: Prior) -> str:
    """Why one prior cannot stand for another: its shape, or a fixed value that the parameter cannot take; else empty.

    >>> unfit(fixed(1.5), load_priors()["largest_run_share"])
    'cannot be fixed at 1.5: its values lie in (0, 1), give one of them'

    A half-normal may be fixed at its end, 0: no scatter, one token per data point.
    """
    if "Dirichlet" in {new.distribution, old.distribution} and new.distribution != old.distribution:
        if new.distribution == "fixed":
            return f"cannot be fixed at {new.params['value']:g}: its values lie in (0, 1), give one of them"
        return f"is a {old.distribution}, for which {new.distribution} cannot stand: keep the shape"
    if new.distribution != "fixed":
        return ""
    value, (low, high) = new.params["value"], values_of(old)
    if low < value < high or (value == low and closed_below(old)):
        return ""
    return f"cannot be fixed at {value:g}: its values lie in ({low:g}, {high:g}), give one of them"


def closed_below(prior: Prior) -> bool:
    """Whether the lower end of a parameter's range belongs to it."""
    return prior.name in MAY_BE_NONE if prior.distribution == "fixed" else FAMILIES[prior.distribution].free == 1


def values_of(prior: Prior) -> tuple[float, float]:
    """Range of the values that a parameter can take, by the family of its prior; one fixed at 0 or above is never below."""
    if prior.distribution == "fixed":
        return (0.0 if prior.params["value"] >= 0.0 else -np.inf, np.inf)
    return FAMILIES[prior.distribution].natural


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(x) for key, x in value.items()}
    if isinstance(value, list):
        return [_rounded(x) for x in value]
    if not isinstance(value, float):
        return value
    return 0.0 if abs(value) < 10**-DIGITS else float(f"{value:.{DIGITS}g}")


def _row(prior: Prior, as_of: float | None) -> dict[str, Any]:
    waits = as_of is None and (AS_OF in prior.params.values() or AS_OF in (prior.bounds or ()))
    quantiles = [np.nan] * 3 if waits else np.asarray(prior.quantile([0.05, 0.5, 0.95], as_of)).tolist()
    return {
        "name": prior.name,
        "block": prior.block,
        "distribution": prior.distribution,
        "params": prior.params,
        **dict(zip(("q05", "q50", "q95"), quantiles, strict=True)),
        "units": prior.units,
        "source": ", ".join(prior.source),
        "rationale": prior.rationale,
    }
