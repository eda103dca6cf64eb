"""Overlays: what one states, and finding the files of views (``priors/*.toml``) and scenarios, and what they extend.

Most are files; ``forecast.assignments`` and ``forecast.presets`` make others, and every function that takes an overlay takes
a name, a path or an `Overlay`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecast.documents import line_of, shown
from forecast.errors import InputError
from forecast.families import suggestion
from forecast.places import priors_folder
from forecast.prior_files import PriorFile, Source, read_prior_file
from forecast.statements import Prior

VIEW, SET, PRESET = "view", "set", "preset"


@dataclass(frozen=True, eq=False)
class Overlay:
    """What one overlay states, what it extends included; `kind` is VIEW, SET (on the command line) or PRESET."""

    name: str
    description: str
    entries: dict[str, Prior]
    sources: dict[str, Source]
    settings: dict[str, Any]
    kind: str = VIEW

    @property
    def label(self) -> str:
        """What a run's record calls it: the name of a view, else the kind and the name.

        >>> Overlay("low", "", {}, {}, {}, PRESET).label
        'preset low'
        """
        return self.name if self.kind == VIEW else f"{self.kind} {self.name}"


AnyOverlay = str | Path | Overlay


def joined(name: str, *overlays: Overlay) -> Overlay:
    """Several overlays as one view of that name, the later ones ruling."""
    return Overlay(
        name,
        " ".join(overlay.description for overlay in overlays),
        {key: prior for overlay in overlays for key, prior in overlay.entries.items()},
        {key: source for overlay in overlays for key, source in overlay.sources.items()},
        {key: value for overlay in overlays for key, value in overlay.settings.items()},
    )


def spoken_label(label: str) -> str:
    """The label of an overlay as a mark beside numbers.

    >>> spoken_label("davidson2023"), spoken_label("preset low")
    ('view davidson2023', 'preset low')
    """
    return label if label.split(" ")[0] in (SET, PRESET) else f"{VIEW} {label}"


def overlay_names() -> list[str]:
    """Names of the shipped views (``priors/*.toml``) and scenarios (``priors/scenarios/*.toml``)."""
    return sorted(overlay_files())


def scenario_names() -> list[str]:
    """Names of the shipped scenarios.

    >>> scenario_names()[:1]
    ['baseline']
    """
    return sorted(path.stem for path in (priors_folder() / "scenarios").glob("*.toml"))


def overlay_files() -> dict[str, Path]:
    """The shipped overlays by name."""
    folder = priors_folder()
    return {path.stem: path for pattern in ("scenarios/*.toml", "*.toml") for path in sorted(folder.glob(pattern))}


def overlay_path(overlay: str | Path) -> Path:
    """The file of a name or path; a path is whatever ends in .toml."""
    files = overlay_files()
    if str(overlay) in files:
        return files[str(overlay)]
    path = Path(overlay)
    if path.suffix != ".toml":
        raise InputError(f"no scenario or view named {str(overlay)!r}{known_names(str(overlay), files)}")
    if not path.is_file():
        raise InputError(
            f"{shown(path)}: no such overlay file: give an existing file, or a name{known_names('', files)}"
        )
    return path


def known_names(word: str, names: Iterable[str]) -> str:
    """The nearest name, and all of them."""
    listed = f"; known: {', '.join(sorted(names))}"
    hint = suggestion(word, names)
    return hint if hint.startswith("; known") else hint + listed


def chain(path: Path, faults: list[str], above: tuple[Path, ...] = ()) -> list[PriorFile]:
    """An overlay after those that it extends, the most distant first; a circle is a fault."""
    file = read_prior_file(path, faults, overlay=True)
    if file is None:
        return []
    if not file.extends:
        return [file]
    place = f"{shown(path)}:{line_of(path.read_text(encoding='utf-8'), 'overlay', 'extends')}: overlay.extends"
    parent = _parent(file.extends, path)
    if parent is None:
        known = known_names(file.extends, overlay_files())
        faults.append(f"{place}: no view named {file.extends!r}, nor such a file beside this one{known}")
        return [file]
    if parent.resolve() in {one.resolve() for one in (*above, path)}:
        circle = " -> ".join(one.stem for one in (*above, path, parent))
        faults.append(f"{place}: goes round in a circle ({circle}): drop one of them")
        return [file]
    return [*chain(parent, faults, (*above, path)), file]


def _parent(name: str, path: Path) -> Path | None:
    """The overlay that is extended: a file beside the other one, or a shipped name; never a path."""
    if name != Path(name).name:
        return None
    beside = path.parent / (name if name.endswith(".toml") else f"{name}.toml")
    return beside if beside.is_file() else overlay_files().get(name)
