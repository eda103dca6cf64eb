"""The report as Markdown: the same content, figures as files beside it, every text from files escaped.

What stands in a table cell or a sentence is text, never markup: ``tests/reporting/test_markdown.py`` parses it back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from forecast.reporting.content import Figure, ReportContent, Section, Table
from forecast.reporting.outline import outline
from forecast.reporting.page import grid, parameter_blocks, value
from forecast.words import number, odds, percent

FOLDER = "figures"  # beside the report
SPECIAL = re.compile(r"([\\`*\[\]<|~$]|&(?=#?\w+;))")
EDGE_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
MARKER = re.compile(r"([-+=:#>]|\d+[.)](?!\d))")  # what makes a line a list, heading or quotation
Lines = list[str]


def markdown(content: ReportContent) -> str:
    """The report as one Markdown text (CommonMark with tables); figures and CSV are looked for in `FOLDER`."""
    lines = [f"# {escaped(content.title)}", "", *warnings(content)]
    said = f"From public figures up to {content.as_of}. Every number is conditional on this model."
    lines += [escaped(said), "", *contents(content)]
    for group in outline(content):
        for section in group.sections:
            lines += [f'<a id="{section.name}"></a>', "", f"## {escaped(section.title)}{marks(content)}", ""]
            lines += SPECIALS.get(section.name, plain)(content, section)
    return "\n".join(lines).rstrip() + "\n"


def escaped(text: object) -> str:
    r"""Text in which nothing is markup, on one line.

    >>> escaped("a|b <i> `x` [y](z) *w* task_horizon _v_")
    'a\\|b \\<i> \\`x\\` \\[y\\](z) \\*w\\* task_horizon \\_v\\_'
    >>> escaped("1. first"), escaped("- item"), escaped("0.25")
    ('1\\. first', '\\- item', '0.25')
    """
    one = SPECIAL.sub(r"\\\1", " ".join(str(text).split()))
    one = EDGE_UNDERSCORE.sub(r"\\_", one)
    marker = MARKER.match(one)
    return one if marker is None else f"{one[: marker.end() - 1]}\\{one[marker.end() - 1 :]}"


def coded(text: str) -> str:
    r"""Escaped text whose parts between backticks are code.

    >>> coded("a | b, `c | d`")
    'a \\| b, `c | d`'
    """
    parts = str(text).split("`")
    return "".join(
        f"`{' '.join(part.split())}`" if index % 2 else escaped_part(part) for index, part in enumerate(parts)
    )


def escaped_part(text: str) -> str:
    """`escaped`, with the blanks at its ends."""
    left, right = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :] if text.strip() else ""
    return f"{' ' if left else ''}{escaped(text)}{' ' if right else ''}"


def code(text: str) -> Lines:
    """A block of code, fenced by more backticks than it holds."""
    fence = "`" * (max([2, *(len(run) for run in re.findall("`+", text))]) + 1)
    return [fence, text, fence, ""]


def table(one: Table, content: ReportContent) -> Lines:
    """A table under its caption."""
    cells = grid(one)
    head = [name for name, _ in cells["head"]]
    sides = [css == "n" for _, css in cells["head"]]
    rows = [[text for text, _ in row] for row in cells["rows"]]
    return [f"**{escaped(one.caption)}**{marks(content)}", "", *pipes(head, rows, sides)]


def pipes(head: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[bool]) -> Lines:
    """A pipe table; ``right`` says which columns are numbers."""
    lines = [row_of(head), row_of(["--:" if side else ":--" for side in right], raw=True)]
    return [*lines, *(row_of(row) for row in rows), ""]


def row_of(cells: Sequence[str], raw: bool = False) -> str:
    """One row of a pipe table."""
    return f"| {' | '.join(cell if raw else escaped(cell) for cell in cells)} |"


def figure(one: Figure, content: ReportContent) -> Lines:
    """A figure as an image with its text alternative, caption, numbers and citation."""
    link = f"[CSV]({FOLDER}/{one.name}.csv). " if one.csv else ""
    lines = [f"![{escaped(one.alt)}]({FOLDER}/{one.name}.svg)", ""]
    lines += [f"{escaped(one.caption)}{marks(content)} {link}{escaped(content.citation)}".rstrip(), ""]
    return lines + (table(one.table, content) if one.table is not None else [])


def marks(content: ReportContent) -> str:
    """Warnings that go with every figure and table."""
    return "".join(f" **({escaped(mark)})**" for mark in content.marks)


def warnings(content: ReportContent) -> Lines:
    """What must be known before anything is read."""
    said = {
        "prior only": "No observation was used: these are the assumptions, not a forecast.",
        "convergence gate failed": "The sampler did not converge; do not use these numbers.",
        "coherence gate failed": "Too many draws contradict themselves.",
    }
    return [line for mark in content.marks for line in (f"> **{mark.capitalize()}.** {said[mark]}", "")]


def contents(content: ReportContent) -> Lines:
    """The table of contents."""
    lines = []
    for group in outline(content):
        links = (f"[{escaped(one.title)}](#{one.name})" for one in group.sections)
        lines.append(f"- {escaped(group.title)}: {', '.join(links)}")
    return [*lines, ""]


def plain(content: ReportContent, section: Section) -> Lines:
    """Intro, sentences, points, figures and tables of a section."""
    lines = [line for text in (section.intro,) if text for line in (coded(text), "")]
    lines += [line for sentence in section.sentences for line in (escaped(sentence), "")]
    for term, text in section.points:
        lines.append(f"- **{escaped(term)}.** {coded(text)}" if term else f"- {coded(text)}")
    lines += [""] if section.points else []
    lines += [line for one in section.figures for line in figure(one, content)]
    return lines + [line for one in section.tables for line in table(one, content)]


def headline(content: ReportContent, section: Section) -> Lines:
    """Both answers as a table, then in sentences with their definitions."""
    found = content.headline
    missed = f"not by {found.last_year}: {percent(found.not_automated)}, {odds(found.not_automated)}"
    quick = f"1 year or less: {percent(found.within_1_year)}, {odds(found.within_1_year)}"
    counts = (
        ("Parallel AIs at full automation", found.streams),
        ("Human-equivalents at that time", found.human_equivalents),
    )
    rows = [
        *([name, number(x.median), f"{number(x.low)} to {number(x.high)}", missed] for name, x in counts),
        ["Take-off, 20% to 100% automation", *spoken(found.length_parts), quick],
        ["Full automation of AI R&D", *spoken(found.date_parts), missed],
    ]
    head = ["", "Median", f"{found.streams.prob:.0%} interval", "Probability"]
    lines = pipes(head, rows, [False] * 4)
    return lines + [line for sentence in section.sentences for line in (escaped(sentence), "")]


def spoken(parts: tuple[str, str]) -> tuple[str, str]:
    """Median and interval without the words that the head of the column says."""
    return parts[0], re.sub(r"^\d+% interval ", "", parts[1])


def gates(content: ReportContent, section: Section) -> Lines:
    """Verdicts of the sampler and of coherence."""
    lines = []
    if content.gate:
        rows = [[row.name, value(row.value), row.threshold, verdict(row.passed)] for row in content.gate]
        lines += ["**Convergence: did the sampler reach the posterior?**", ""]
        lines += pipes(["Test", "Value", "Required", "Verdict"], rows, [False, True, True, False])
    else:
        lines += ["No convergence test applies: nothing was sampled from a posterior.", ""]
    shares = [
        [row.name, percent(row.probability), percent(row.limit), verdict(row.passed)] for row in content.coherence
    ]
    lines += ["**Coherence: share of draws that contradict themselves**", ""]
    return lines + pipes(["Event", "Probability", "Limit", "Verdict"], shares, [False, True, True, False])


def verdict(passed: bool) -> str:
    """A verdict that cannot be overlooked."""
    return "passed" if passed else "FAILED"


def parameters(content: ReportContent, section: Section) -> Lines:
    """Every parameter by block: prior and posterior, what was stated, source and reason."""
    lines = [escaped(section.intro), ""]
    head = ["Parameter", "What it is", "Prior", "Posterior", "Stated", "Source and rationale"]
    for block, rows in parameter_blocks(content.parameters):
        lines += [f"### {escaped(block.replace('_', ' ').capitalize())}{marks(content)}", ""]
        cells = [
            [
                row["name"],
                ", ".join(part for part in (row["definition"], row["units"] if row["units"] != "1" else "") if part),
                *(f"{row[which][0]} ({row[which][1]})".removesuffix(" ()") for which in ("prior", "posterior")),
                row["distribution"],
                f"{row['rationale']} {row['source']}",
            ]
            for row in rows
        ]
        lines += pipes(head, cells, [False] * len(head))
    return lines


def method(content: ReportContent, section: Section) -> Lines:
    """How the numbers were made, the command that makes them again, and versions."""
    lines = [coded(section.intro), "", "To reproduce it:", "", *code(content.command)]
    lines += [f"To cite it: {escaped(content.title)}: {escaped(content.citation)}.", ""] if content.citation else []
    return lines + [f"- {escaped(label)}: {escaped(fact)}" for label, fact in content.provenance.items()]


SPECIALS = {"headline": headline, "gates": gates, "parameters": parameters, "method": method}
