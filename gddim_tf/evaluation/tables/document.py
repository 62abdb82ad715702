"""The tables in Markdown, with all that is needed to make them again."""

from __future__ import annotations

from typing import Any

from gddim_tf.evaluation.tables.definitions import Row, Table
from gddim_tf.evaluation.tables.orderings import Judged
from gddim_tf.evaluation.tables.published import FIGURES, SOURCES
from gddim_tf.evaluation.tables.results import Entry, Results

_INTRODUCTION = """\
# Published tables, made again

Frechet distances of generated images, in the form of the tables of four papers. The published
figures beside ours are FIDs of large networks on CIFAR-10 with Inception features; ours come from
the images, features and networks named below. What can be compared is the order of the samplers,
which the last section checks.
"""


def document(
    results: Results,
    judged: list[Judged],
    settings: dict[str, Any],
    pictures: dict[str, str],
    reasons: bool = False,
) -> str:
    """All tables as Markdown.

    Args:
      results: of the cells.
      judged: the orderings.
      settings: how they were made: plain values.
      pictures: file names by caption.
      reasons: whether the images are the digits, of which the reasons in `orderings` speak.

    Returns:
      The text.
    """
    parts = [_INTRODUCTION, "\n".join(f"- {name}: {value}" for name, value in settings.items())]
    parts += [f"![{caption}]({name})" for caption, name in pictures.items()]
    parts += [_section(table, results) for table in results.tables]
    parts += [_orderings(judged, reasons), _memorisation(results)]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _section(table: Table, results: Results) -> str:
    columns = results.plan.columns(table)
    figures = FIGURES.get(table.name, {})
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
    if entry.diverged:
        return "diverged"
    text = f"{entry.frechet:.3g}" if entry.frechet < 1000 else f"{entry.frechet:.0f}"
    if len(entry.results) > 1:
        text += f" ± {entry.spread:.2g}"
    return text + (f" ({entry.extra:+d})" if entry.extra else "")


def _orderings(judged: list[Judged], reasons: bool) -> str:
    if not judged:
        return ""
    count = {
        verdict: sum(item.verdict == verdict for item in judged)
        for verdict in ("held", "within the spread", "not held")
    }
    lines = [
        "## Do the published orderings hold?",
        "",
        "Every line is an inequality that the sources' figures or claims have. "
        + ", ".join(f"{number} {verdict}" for verdict, number in count.items())
        + ". A difference of less than two standard errors over the seeds is within the spread.",
        "",
        "| table | ordering | distances | |",
        "|---|---|---|---|",
    ]
    for item in judged:
        verdict = item.verdict if item.verdict == "held" else f"**{item.verdict}**"
        numbers = f"{_cell(item.better)} against {_cell(item.worse)}"
        lines.append(_line([item.ordering.table, str(item.ordering), numbers, verdict]))
    return "\n".join(lines + (_reasons(judged) if reasons else []))


def _reasons(judged: list[Judged]) -> list[str]:
    """Why some orderings do not hold, each reason once."""
    missed: dict[str, list[str]] = {}
    for item in judged:
        if item.verdict != "held" and item.ordering.why:
            missed.setdefault(item.ordering.why, []).append(str(item.ordering))
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
        "For every cell above: the kernel distance (KID); the median distance of generated images "
        "to their nearest training image over that of held-out images (1 without memorisation, 0 "
        "for copies); and how many of the generated images are nearer than the nearest 5 % of the "
        "held-out ones.",
        "",
        "| table | sampler | column | Frechet | kernel | median ratio | near | s per 1000 images |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join(head + lines)


def _memorisation_lines(table: Table, row: Row, results: Results) -> list[str]:
    lines = []
    for column in results.plan.columns(table):
        entry = results.entry(table.name, row.label, column)
        if entry is None or entry.diverged:
            continue
        copies = ["", ""]
        if "median_ratio" in entry.results[0]:
            copies = [f"{entry.mean('median_ratio'):.2f}", f"{entry.mean('close_fraction'):.1%}"]
        cells = [table.name, row.label, str(column), f"{entry.frechet:.3g}"]
        cells += [f"{entry.mean('kernel'):.4f}", *copies, f"{_seconds(entry):.2g}"]
        lines.append(_line(cells))
    return lines


def _seconds(entry: Entry) -> float:
    return 1000 * entry.mean("seconds") / entry.mean("count")
