"""Files are data: nothing in them is run, followed out of its folder, or taken for markup, a format or a formula."""

from __future__ import annotations

import ast
import csv
import io
import json
import os
import stat
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd  # type: ignore[import-untyped]
import pytest
import xarray as xr
from click.testing import CliRunner
from markdown_it import MarkdownIt
from robustness import strategies as bad
from synthetic import report_content

import forecast
from forecast.cli import main
from forecast.dynamics.machine import kept_source, private
from forecast.errors import InputError
from forecast.observations import Observations, check_observations, load_observations, load_settings
from forecast.places import priors_folder, tables_folder
from forecast.priors import Priors, check_priors, load_priors, read_overlay
from forecast.records import described, parameter_frame
from forecast.reporting import ReportContent, markdown, render, report_files
from forecast.reporting.answers import Answers, restored, stored
from forecast.reporting.content import Figure, Section, Table
from forecast.reporting.harmless import harmless, plain_drawing
from forecast.reporting.paper import pdf
from forecast.summaries import COLUMNS, csv_text, full_csv
from forecast.sweeps.plans import read_plan

PACKAGE = Path(forecast.__file__).parent
EVIL = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "[here](javascript:alert(1))",
    "javascript:alert(1)",
    "<javascript:alert(1)>",
    "{0.__class__.__mro__} {x!r} %s %(a)d %n",
    "{{ 7 * 7 }} {% for x in y %} {# no #}",
    "`\n\n<script>alert(2)</script>\n\n`",
    "</style></title><script>alert(3)</script>",
    "]]><!-- --><![CDATA[",
    "https://example.com/?a=1&b=<2>",
    "file:///etc/passwd",
)
ALL = " ; ".join(EVIL)
DRAWING = '<svg viewBox="0 0 4 2" role="img"><path d="M 0 0 L 4 2" style="fill: none; stroke: #123456"/></svg>'


class Page(HTMLParser):
    """Elements, attributes and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


def check_page(html: str) -> Page:
    """A page without scripts, handlers, or links that leave it."""
    page = Page(html)
    assert not {tag for tag, _ in page.elements} & {
        "script",
        "iframe",
        "object",
        "embed",
        "form",
        "base",
        "foreignobject",
    }
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src", "action", "xlink:href"):
            assert attributes.get(name, "#").startswith(("#", "data:image/svg+xml", "data:text/csv")), attributes
    return page


def toml(text: str) -> str:
    return json.dumps(text)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Priors:
    """The shipped set under an overlay in which every text is hostile."""
    file = tmp_path_factory.mktemp("hostile") / "mine.toml"
    entry = 'value = 4.0\nunits = "1"\nsource = ["judgement", "evil"]\n'
    file.write_text(
        f"[overlay]\ndescription = {toml(ALL)}\n[priors.text_epochs]\n{entry}rationale = {toml(ALL)}\n"
        f"[sources.evil]\ncite = {toml(ALL)}\nlocator = {toml(ALL)}\n",
        encoding="utf-8",
    )
    return load_priors(overlays=[file])


@pytest.fixture(scope="module")
def content(prior_run: xr.DataTree, hostile: Priors, observations: Observations) -> ReportContent:
    """A report whose texts from files are hostile, the parameters by the way that they take."""
    frame = parameter_frame(described(prior_run, hostile, observations))
    whole = report_content(citation=ALL, observations=(Table("evil", ALL, pd.DataFrame({ALL: [ALL, "="]})),))
    section = Section(
        "evil", ALL, ALL, (ALL,), (), (Table("evil2", ALL, pd.DataFrame({"x": list(EVIL)})),), ((ALL, ALL),)
    )
    block = frame["name"] == "text_epochs"
    hostile_name = frame[block].assign(name=ALL, units=ALL, definition=ALL, distribution=ALL)
    parameters = pd.concat([frame[block], hostile_name])
    return replace(
        whole, parameters=parameters, sections=(section,), provenance={ALL: ALL}, command=ALL, title=ALL, notes=(ALL,)
    )


def test_text_from_files_is_text_in_html(content: ReportContent) -> None:
    for paper in (False, True):
        page = check_page(render(content, paper=paper))
        for words in EVIL:
            assert page.text.count(" ".join(words.replace("`", "").split())) >= 5, words


def test_text_from_files_is_text_in_markdown(content: ReportContent) -> None:
    """Only the anchors that we write are HTML, only links within the report and to its figures are links."""
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown(content))
    inner = [child for token in tokens for child in token.children or ()]
    raw = [token.content.strip() for token in (*tokens, *inner) if token.type in ("html_block", "html_inline")]
    assert all(piece.startswith(('<a id="', "</a>")) for piece in raw), raw
    links = [child.attrGet("href") for child in inner if child.type == "link_open"]
    assert all(str(link).startswith(("#", "figures/")) for link in links), links
    said = " ".join("".join(child.content for child in inner if child.type != "html_inline").split())
    assert "<script>alert(1)</script>" in said
    assert "{{ 7 * 7 }}" in said
    assert "{0.__class__.__mro__}" in said


@pytest.mark.slow
def test_text_from_files_is_text_in_pdf(content: ReportContent) -> None:
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(pdf(content)))
    assert b"/JavaScript" not in reader.stream.getvalue()  # type: ignore[union-attr]
    addresses = [
        note.get_object().get("/A", {}).get("/URI") for page in reader.pages for note in page.get("/Annots", ())
    ]
    assert not [one for one in addresses if one]
    assert "<script>alert(1)</script>" in " ".join(page.extract_text() for page in reader.pages).replace("\n", "")


def test_the_terminal_shows_it_as_it_stands(hostile: Priors, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    text = "{0.__class__} %s {{7*7}} $(id) `id`"
    file.write_text(
        f'[overlay]\ndescription = "x"\n[priors.text_epochs]\nvalue = 4.0\nunits = "1"\nsource = ["judgement"]\n'
        f"rationale = {toml(text)}\n",
        encoding="utf-8",
    )
    shown = CliRunner().invoke(main, ["priors", "show", "text_epochs", "--view", str(file)])
    assert shown.exit_code == 0, shown.output
    assert f"why: {text}" in shown.stdout
    assert hostile["text_epochs"].rationale == ALL


FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")']


@pytest.mark.parametrize("write", [csv_text, full_csv])
def test_no_cell_of_a_csv_is_a_formula(write: Any) -> None:
    """Text is guarded wherever it stands, numbers are left alone, also those that are written as text."""
    frame = pd.DataFrame({"=what": FORMULAS, "x": [-1.5] * len(FORMULAS), "said": ["-1.5"] * len(FORMULAS)})
    head, *rows = list(csv.reader(io.StringIO(write(frame), newline="")))
    assert head == ["'=what", "x", "said"]
    assert [row[0] for row in rows] == [f"'{text}" for text in FORMULAS]
    assert all(float(row[1]) == float(row[2]) == -1.5 for row in rows)


def test_a_table_that_is_shown_as_csv_is_guarded_too(tmp_path: Path) -> None:
    text = bad.shipped_table("run_durations").replace("GPT-3 175B", "=1+1")
    rows = list(csv.reader(io.StringIO(text)))
    rows[1][0] = "=cmd|' /C calc'!A0"
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    (tmp_path / "run_durations.csv").write_text(out.getvalue(), encoding="utf-8")
    shown = CliRunner().invoke(main, ["data", "show", "run_durations", "--tables", str(tmp_path), "--csv"])
    assert shown.exit_code == 0, shown.output
    cells = [cell for row in csv.reader(io.StringIO(shown.stdout)) for cell in row]
    assert "'=cmd|' /C calc'!A0" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]


def copied(source: Path, pattern: str, folder: Path) -> Path:
    folder.mkdir()
    for file in source.glob(pattern):
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def test_a_symbolic_link_in_a_folder_of_priors_is_refused(tmp_path: Path) -> None:
    folder = copied(priors_folder() / "baseline", "*.toml", tmp_path / "priors")
    assert check_priors(folder) == []
    (folder / "depth_scaling.toml").unlink()
    (folder / "depth_scaling.toml").symlink_to(priors_folder() / "baseline" / "depth_scaling.toml")
    (fault,) = check_priors(folder)
    assert fault.endswith("depth_scaling.toml:1: file: is a symbolic link: put the file itself there")
    with pytest.raises(InputError, match="symbolic link"):
        load_priors(folder)


@pytest.mark.parametrize("name", ["run_durations.csv", "settings.toml"])
def test_a_symbolic_link_in_a_folder_of_tables_is_refused(name: str, tmp_path: Path) -> None:
    folder = copied(tables_folder(), "hardware.csv", tmp_path / "tables")
    assert check_observations(folder) == []
    (folder / name).symlink_to(tables_folder() / name)
    with pytest.raises(InputError, match=rf"{name}.*symbolic link.*put the file itself there"):
        load_settings(folder) if name == "settings.toml" else load_observations(folder)


def test_a_broken_link_is_no_missing_file(tmp_path: Path) -> None:
    """Else the shipped settings would be taken in silence."""
    folder = copied(tables_folder(), "hardware.csv", tmp_path / "tables")
    (folder / "settings.toml").symlink_to(tmp_path / "none.toml")
    with pytest.raises(InputError, match="symbolic link"):
        load_settings(folder)


def overlay(folder: Path, name: str, extends: str) -> Path:
    file = folder / f"{name}.toml"
    file.write_text(
        f'[overlay]\ndescription = "x"\nextends = {toml(extends)}\n[priors.text_epochs]\nvalue = 4.0\nunits = "1"\n'
        'source = ["judgement"]\nrationale = "x"\n',
        encoding="utf-8",
    )
    return file


@pytest.mark.parametrize(
    "extends",
    ["../../x", "../other", "../other.toml", "{outside}/other.toml", "./other", "a/../../other", "..", "~/other"],
)
def test_an_overlay_extends_nothing_out_of_its_folder(extends: str, tmp_path: Path) -> None:
    """Although the file is there."""
    inside = tmp_path / "inside"
    inside.mkdir()
    overlay(tmp_path, "other", "finnveden2023")
    file = overlay(inside, "mine", extends.format(outside=tmp_path))
    with pytest.raises(InputError, match=r"mine\.toml:3: overlay\.extends: no view named .*known:"):
        read_overlay(file)
    overlay(inside, "other", "finnveden2023")
    assert read_overlay(overlay(inside, "mine", "other")).entries


def test_an_overlay_extends_no_symbolic_link(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "other.toml").symlink_to(overlay(tmp_path, "other", "finnveden2023"))
    with pytest.raises(InputError, match=r"other\.toml:1: file: is a symbolic link"):
        read_overlay(overlay(inside, "mine", "other"))


@pytest.mark.parametrize("view", ["../other.toml", "{outside}/other.toml", "below/../../other.toml"])
def test_a_sweep_takes_no_view_out_of_its_folder(view: str, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    (inside / "below").mkdir(parents=True)
    overlay(tmp_path, "other", "finnveden2023")
    overlay(inside / "below", "other", "finnveden2023")
    file = inside / "sweep.toml"
    file.write_text(f"[prior]\ndraws = 20\n[grid]\nviews = [{toml(view.format(outside=tmp_path))}]\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"grid\.views: .* is not beside this file: put the view there"):
        read_plan(file)
    file.write_text('[prior]\ndraws = 20\n[grid]\nviews = ["below/other.toml"]\n', encoding="utf-8")
    assert len(read_plan(file).cases) == 1


def kept(**changes: Any) -> str:
    """What a run file keeps for the report, with a figure that somebody else wrote."""
    figure = Figure(**{"name": "good", "svg": DRAWING, "alt": "a", "caption": "c", "csv": "x\n1\n"} | changes)
    section = Section("drivers", "Drivers", figures=(figure,))
    return stored(Answers((section,), pd.DataFrame(columns=list(COLUMNS))), "key")


def test_what_a_run_file_keeps_is_taken_where_it_is_ours(run: xr.DataTree) -> None:
    assert restored(kept(), "key") is not None
    shipped = json.loads(run.attrs["answers"])
    assert harmless(shipped["sections"])
    assert sum(len(section["figures"]) for section in shipped["sections"]) > 10


@pytest.mark.parametrize(
    "name", ["../../evil", "/tmp/evil", "a/b", "..", "", "a b", 'x" onclick="1', "-x", "a\\b", "a\nb"]
)
def test_a_run_file_names_no_file_out_of_the_reports_folder(name: str) -> None:
    assert restored(kept(name=name), "key") is None
    section = Section(name, "t")
    assert restored(stored(Answers((section,), pd.DataFrame(columns=list(COLUMNS))), "key"), "key") is None
    tables = Section("x", "t", tables=(Table(name, "c", pd.DataFrame({"a": [1]})),))
    assert restored(stored(Answers((tables,), pd.DataFrame(columns=list(COLUMNS))), "key"), "key") is None


EVIL_DRAWINGS = (
    "<script>alert(1)</script>",
    DRAWING.replace("<path", "<script>alert(1)</script><path"),
    DRAWING.replace("<path", '<path onclick="alert(1)"'),
    DRAWING.replace('role="img"', 'onload="alert(1)"'),
    DRAWING.replace("<path", '<a href="javascript:alert(1)"><path').replace("</svg>", "</a></svg>"),
    DRAWING.replace("<path", '<use href="https://example.com/x.svg#a"/><path'),
    DRAWING.replace("<path", '<image href="data:image/png;base64,x"/><path'),
    DRAWING.replace("<path", "<foreignObject><body/></foreignObject><path"),
    DRAWING.replace("<path", "<style>* {background: url(http://x)}</style><path"),
    DRAWING.replace("fill: none", "fill: url(http://example.com/x)"),
    DRAWING.replace("fill: none", "behavior: expression(alert(1))"),
    DRAWING.replace("<path", '<animate attributeName="href" to="javascript:alert(1)"/><path'),
    DRAWING.replace("<path", "<title><![CDATA[<script>alert(1)</script>]]></title><path"),
    '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + DRAWING,
    DRAWING + "<script>alert(1)</script>",
    DRAWING.replace("</svg>", ""),
    DRAWING.replace("<svg ", '<svg xmlns:x="http://www.w3.org/1999/xhtml" ').replace(
        "<path", "<x:script>1</x:script><path"
    ),
    DRAWING.replace("0 0 4 2", "0 0"),
    "",
    None,
    7,
)


@pytest.mark.parametrize("svg", EVIL_DRAWINGS)
def test_a_run_file_brings_no_markup_of_its_own_into_the_report(svg: Any) -> None:
    assert plain_drawing(DRAWING)
    assert not plain_drawing(svg)
    assert restored(kept(svg=svg), "key") is None


def test_what_is_taken_from_a_run_file_is_a_page_without_scripts(content: ReportContent) -> None:
    """And its files lie in the folder of the report."""
    found = restored(kept(alt=ALL, caption=ALL), "key")
    assert found is not None
    files = report_files(replace(content, sections=found.sections), ("html", "md"))
    check_page(str(files["report.html"]))
    assert all(".." not in Path(name).parts and not Path(name).is_absolute() for name in files)


# Where the package makes code or serialised objects of its own, and why that takes nothing from a file of a user's.
ALLOWED = {
    ("dynamics/machine.py", "exec"): "our own equations as source, where the cache cannot be written",
    ("dynamics/machine.py", "compile"): "the same",
    (
        "dynamics/machine.py",
        "exec_module",
    ): "the same source from the user's own cache, a folder that is the user's alone",
    ("compiled_series.py", "exec"): "source traced from our own equations",
    ("compiled_series.py", "compile"): "the same",
    ("evaluation/replicates.py", "import pickle"): "dumps alone, to digest our own objects",
    ("evaluation/replicates.py", "pickle.dumps"): "the same",
    ("installation.py", "import subprocess"): "the doctor imports libraries in a process of its own",
    ("installation.py", "subprocess.run"): "a list of arguments, no shell; names from a table in the code",
}
MODULES = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "shelve",
    "marshal",
    "yaml",
    "subprocess",
    "ctypes",
    "runpy",
}
CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "exec_module",
    "system",
    "popen",
    "literal_eval",
    "read_pickle",
    "to_pickle",
}


def suspicious(source: str) -> list[str]:
    """What could run something, by name: calls, imports, and arguments such as ``shell=True``."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [f"import {one.name}" for one in node.names if one.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            found.append(f"import {node.module}")
        elif isinstance(node, ast.Call):
            whole = ast.unparse(node.func)
            name, owner = whole.rsplit(".", 1)[-1], whole.rsplit(".", 1)[0]
            if (name in CALLS and owner not in ("re", "platform")) or owner in MODULES:
                found.append(whole if owner in MODULES else name)
            for word in node.keywords:
                said = isinstance(word.value, ast.Constant) and word.value.value is True
                found += [f"{word.arg}=True"] if word.arg in ("allow_pickle", "shell") and said else []
    return found


def test_the_package_runs_nothing_that_a_file_could_hold() -> None:
    found = {
        (file.relative_to(PACKAGE).as_posix(), what)
        for file in PACKAGE.rglob("*.py")
        for what in suspicious(file.read_text(encoding="utf-8"))
    }
    assert found == set(ALLOWED)


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("import pickle\npickle.loads(x)", ["import pickle", "pickle.loads"]),
        ("from yaml import load", ["import yaml"]),
        ("eval(text)", ["eval"]),
        ("np.load(f, allow_pickle=True)", ["allow_pickle=True"]),
        ("run(x, shell=True)", ["shell=True"]),
        ("os.system(x)", ["system"]),
        ("pd.read_pickle(x)", ["read_pickle"]),
        ("re.compile(x)", []),
    ],
)
def test_the_search_finds_what_it_should(source: str, what: list[str]) -> None:
    assert suspicious(source) == what


def test_templates_escape_by_themselves_and_mark_nothing_safe() -> None:
    """The one filter that trusts is `svg`, for drawings."""
    templates = [file.read_text(encoding="utf-8") for file in PACKAGE.rglob("*.j2")]
    assert len(templates) > 8
    assert not [text for text in templates if "| safe" in text or "|safe" in text or "autoescape false" in text]
    environments = [
        text for file in PACKAGE.rglob("*.py") if "Environment(" in (text := file.read_text(encoding="utf-8"))
    ]
    assert environments
    assert all("autoescape=True" in text for text in environments)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "forecast"


def test_machine_code_is_kept_where_nobody_else_can_write(cache: Path) -> None:
    """Numba reads pickles from there, and we Python: whoever can write there can run something."""
    before = os.umask(0)
    try:
        kept_source("x = 1")
    finally:
        os.umask(before)
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    cache.chmod(0o777)
    kept_source("x = 2")
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700


def test_another_users_folder_is_not_taken(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private(cache)
    monkeypatch.setattr(os, "getuid", lambda: cache.stat().st_uid + 1)
    with pytest.raises(PermissionError, match="another user"):
        kept_source("x = 1")
    assert list(cache.iterdir()) == []


def test_a_link_is_not_taken_for_the_folder(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    cache.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError):
        kept_source("x = 1")
    assert list((tmp_path / "elsewhere").iterdir()) == []
