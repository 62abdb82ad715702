"""The tables in Markdown, with all that is needed to make them again."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.papers.definitions import Row, Table
from benchmarks.papers.judging import VERDICTS, Judged
from benchmarks.papers.orderings import ORDERINGS
from benchmarks.papers.published import FIGURES, SOURCES
from benchmarks.papers.results import Entry, Results

_INTRODUCTION = """\
# Published tables, made again

Frechet distances of generated images, in the form of the tables of four papers. The published
figures beside ours are FIDs of large networks on CIFAR-10 with Inception features; ours come from
the images, features and networks named below. What can be compared is the order of the samplers:
see the section on the published orderings. An empty place was not made.
"""

# Data sets beside whose tables the published figures stand.
_PUBLISHED = ("digits", "cifar10")


def document(
    results: Results,
    judged: list[Judged],
    settings: dict[str, Any],
    pictures: dict[str, str],
    dataset: str = "digits",
) -> str:
    """All tables as Markdown.

    Args:
      results: of the cells.
      judged: the orderings.
      settings: how they were made: plain values.
      pictures: file names by caption.
      dataset: of the real images. Published figures stand beside the digits, to compare orders,
        and beside CIFAR-10; the reasons of `orderings` speak of the digits.

    Returns:
      The text.
    """
    parts = [_INTRODUCTION, "\n".join(f"- {name}: {value}" for name, value in settings.items())]
    parts += [f"![{caption}]({name})" for caption, name in pictures.items()]
    published = dataset in _PUBLISHED
    parts += [_section(table, results, published) for table in results.tables]
    parts += [_orderings(judged, dataset == "digits"), _memorisation(results)]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _section(table: Table, results: Results, published: bool) -> str:
    columns = results.plan.columns(table)
    figures = FIGURES.get(table.name, {}) if published else {}
    lines = [f"## {table.title}", "", table.note, "", f"Source: {SOURCES[table.name]}.", ""]
    if not figures:
        lines += ["The source's figures for it are not quoted here.", ""]
    lines += [_line([table.by, *map(str, columns)]), "|---" * (len(columns) + 1) + "|"]
    for row in table.rows:
        if row.kind not in results.sdes:
            continue
        entries = [results.entry(table.name, row.label, column) for column in columns]
        lines.append(_line([row.label, *map(_cell, entries)]))
        if row.label in figures:
            published = dict(zip(table.columns, figures[row.label], strict=True))
            lines.append(_line(["*published*", *(_figure(published[c]) for c in columns)]))
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _figure(value: float | str | None) -> str:
    return "" if value is None else f"*{value}*"


def _cell(entry: Entry | None) -> str:
    if entry is None:
        return ""
    if entry.failed:
        return entry.failed
    text = _number(entry.frechet, 3)
    if len(entry.results) > 1:
        text += f" ± {_number(entry.spread, 2)}"
    return text + (f" ({entry.extra:+d})" if entry.extra else "")


def _number(value: float, digits: int) -> str:
    """With so many significant digits, never with an exponent."""
    return np.format_float_positional(value, digits, unique=False, fractional=False, trim="-")


def _orderings(judged: list[Judged], reasons: bool) -> str:
    if not judged:
        return ""
    count = {verdict: sum(item.verdict == verdict for item in judged) for verdict in VERDICTS}
    left = len(ORDERINGS) - len(judged)
    lines = [
        "## Do the published orderings hold?",
        "",
        "Every line is an inequality that the source's figures have or, in a table without "
        f"figures, that its text claims. Of {len(ORDERINGS)}, "
        + ", ".join(f"{number} {verdict}" for verdict, number in count.items() if number)
        + (f"; for {left} the cells were not made" if left else "")
        + ". Both sides start from the same noise, so differences are paired by seed: within the "
        "spread is what a t-test at 95 % cannot tell from no difference. A place in a column of "
        "one seed is compared with the other place drawn with that seed and as many images, and "
        "has no spread. Other budgets: the better one is RK45 with a quarter more evaluations.",
        "",
        "| table | ordering | distances | |",
        "|---|---|---|---|",
    ]
    for item in judged:
        verdict = item.verdict if item.verdict == "held" else f"**{item.verdict}**"
        verdict += ", one seed" if item.seeds == 1 else ""
        numbers = f"{_cell(item.better)} against {_cell(item.worse)}"
        lines.append(_line([item.ordering.table, str(item.ordering), numbers, verdict]))
    return "\n".join(lines + (_reasons(judged) if reasons else []))


def _reasons(judged: list[Judged]) -> list[str]:
    """Why some orderings do not hold, each reason once."""
    missed: dict[str, list[str]] = {}
    for item in judged:
        if item.verdict in ("not held", "within the spread") and item.ordering.why:
            missed.setdefault(item.ordering.why, []).append(f"{item.ordering}: {item.verdict}")
    if not missed:
        return []
    lines = ["", "Why some do not hold on the digits that come with the package, as we read them:"]
    for why, orderings in missed.items():
        lines += ["", why, "", *(f"- {ordering}" for ordering in orderings)]
    return lines


def _memorisation(results: Results) -> str:
    """Nearest training images beside the kernel distance, of the first table."""
    lines = []
    for table in results.tables:
        for row in table.rows:
            lines += _memorisation_lines(table, row, results)
    if not lines:
        return ""
    head = [
        "## Kernel distance and memorisation",
        "",
        "For every cell above: the kernel distance (KID), below zero where real and generated "
        "images share out their classes evenly, as held-out images do, too; the median distance of "
        "generated images to their nearest training image over that of held-out images (1 without "
        "memorisation, 0 for copies); how many of the generated images are nearer than the nearest "
        "5 % of the held-out ones; and the seconds of the fastest seed.",
        "",
        "| table | sampler | column | Frechet | kernel | median ratio | near | s per 1000 images |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join(head + lines)


def _memorisation_lines(table: Table, row: Row, results: Results) -> list[str]:
    lines = []
    for column in results.plan.columns(table):
        entry = results.entry(table.name, row.label, column)
        if entry is None or entry.failed:
            continue
        copies = ["", ""]
        if "median_ratio" in entry.results[0]:
            copies = [f"{entry.mean('median_ratio'):.2f}", f"{entry.mean('close_fraction'):.1%}"]
        cells = [table.name, row.label, str(column), _number(entry.frechet, 3)]
        cells += [f"{entry.mean('kernel'):.4f}", *copies, _number(_seconds(entry), 2)]
        lines.append(_line(cells))
    return lines


def _seconds(entry: Entry) -> float:
    """Of a thousand images; the fastest seed, because the first one may have traced the graph."""
    return 1000 * float(entry.values("seconds").min()) / entry.mean("count")
