"""The tables in Markdown, with all that is needed to make them again."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.papers.definitions import Row, Table
from benchmarks.papers.judging import VERDICTS, Judged
from benchmarks.papers.orderings import ORDERINGS
from benchmarks.papers.own_flow import NFE
from benchmarks.papers.published import FIGURES, SOURCES
from benchmarks.papers.results import Entry, Results
from benchmarks.papers.subjects import Subject
from gddim_tf.evaluation.measures import MEASURES
from gddim_tf.evaluation.report import line

_INTRODUCTION = """\
# Published tables, made again

Frechet distances of generated images, in the form of the tables of four papers. The published
figures beside ours are FIDs of large networks on CIFAR-10 with Inception features; ours come from
the images, features and networks named below. What can be compared is the order of the samplers:
see the section on the published orderings. An empty place was not made.
"""


def document(
    results: Results,
    judged: list[Judged],
    by_flow: list[Judged],
    settings: dict[str, Any],
    pictures: dict[str, str],
    subject: Subject,
) -> str:
    """All tables as Markdown.

    Args:
      results: of the cells.
      judged: the orderings.
      by_flow: those of them that do not hold, by the distance to their network's own flow.
      settings: how they were made: plain values.
      pictures: file names by caption.
      subject: the data set.

    Returns:
      The text.
    """
    parts = [_INTRODUCTION, "\n".join(f"- {name}: {value}" for name, value in settings.items())]
    parts += [f"![{caption}]({name})" for caption, name in pictures.items()]
    parts += [_section(table, results, subject.published) for table in results.tables]
    parts += [_orderings(judged, subject), _by_flow(by_flow), _measured(results)]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _section(table: Table, results: Results, published: bool) -> str:
    columns = results.plan.columns(table)
    figures = FIGURES.get(table.name, {}) if published else {}
    lines = [f"## {table.title}", "", table.note, "", f"Source: {SOURCES[table.name]}.", ""]
    if not figures:
        lines += ["The source's figures for it are not quoted here.", ""]
    lines += [line([table.by, *map(str, columns)]), "|---" * (len(columns) + 1) + "|"]
    for row in table.rows:
        if row.kind not in results.sdes:
            continue
        entries = [results.entry(table.name, row.label, column) for column in columns]
        lines.append(line([row.label, *map(_cell, entries)]))
        if row.label in figures:
            quoted = dict(zip(table.columns, figures[row.label], strict=True))
            lines.append(line(["*published*", *(_figure(quoted[c]) for c in columns)]))
    return "\n".join(lines)


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


def _orderings(judged: list[Judged], subject: Subject) -> str:
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
        "one seed is compared with the other place drawn with that seed and as many images; its "
        "spread is what leaving out a tenth of the images, the same on both sides, changes "
        "(a jackknife). What a paper is known for is compared with all seeds in every column. "
        "Where the better side is RK45 with a quarter more evaluations than the "
        'other, the verdict is "other budgets".',
        "",
        *_judged_lines(judged),
    ]
    return "\n".join(lines + _reasons(judged, subject))


def _judged_lines(judged: list[Judged]) -> list[str]:
    lines = ["| table | ordering | distances | |", "|---|---|---|---|"]
    for item in judged:
        verdict = item.verdict if item.verdict == "held" else f"**{item.verdict}**"
        verdict += ", one seed" if item.seeds == 1 else ""
        numbers = f"{_cell(item.better)} against {_cell(item.worse)}"
        lines.append(line([item.ordering.table, str(item.ordering), numbers, verdict]))
    return lines


def _by_flow(judged: list[Judged]) -> str:
    """The orderings that do not hold, without the network's part."""
    if not judged:
        return ""
    held = sum(item.verdict == "held" for item in judged)
    text = (
        "## Is it the sampler or the network?\n\n"
        "The distance to real images is of the sampler and of the network together. The orderings "
        "that do not hold by it, and where no side failed, are judged again by the Frechet "
        "distance to images of the same network's own probability flow, solved by the default "
        f"sampler in {NFE} evaluations from other noise: that is the sampler's part alone. Of "
        f"{len(judged)}, {held} hold by it: there the better sampler is nearer to the flow, and it "
        "is the flow that is farther from real images.\n\n"
    )
    return text + "\n".join(_judged_lines(judged))


def _reasons(judged: list[Judged], subject: Subject) -> list[str]:
    """Why some orderings do not hold, each reason once."""
    missed: dict[str, list[str]] = {}
    for item in judged:
        why = item.ordering.why
        if item.missed and why is not None and why in subject.reasons:
            told = f"{item.ordering}: {item.verdict}"
            missed.setdefault(subject.reasons[why], []).append(told)
    if not missed:
        return []
    lines = ["", f"Why some do not hold on {subject.told}, as we read them:"]
    for why, orderings in missed.items():
        lines += ["", why, "", *(f"- {ordering}" for ordering in orderings)]
    return lines


def _measured(results: Results) -> str:
    """All measures of every place."""
    lines = []
    for table in results.tables:
        for row in table.rows:
            lines += _measured_lines(table, row, results)
    if not lines:
        return ""
    measured = (measure.title for measure in MEASURES)
    titles = ["table", "sampler", "column", *measured, "s per 1000 images"]
    head = [
        "## Everything that was measured",
        "",
        "For every cell above: the kernel distance (KID), below zero where real and generated "
        "images share out their classes evenly, as held-out images do, too; the median distance of "
        "generated images to their nearest training image over that of held-out images (1 without "
        "memorisation, 0 for copies); how many of the generated images are nearer than the nearest "
        "5 % of the held-out ones; and the seconds of the fastest seed, whatever else the machine "
        "was doing.",
        "",
        line(titles),
        "|---" * len(titles) + "|",
    ]
    return "\n".join(head + lines)


def _measured_lines(table: Table, row: Row, results: Results) -> list[str]:
    lines = []
    for column in results.plan.columns(table):
        entry = results.entry(table.name, row.label, column)
        if entry is None or entry.failed:
            continue
        names = entry.results[0].measures
        means = {name: entry.mean(name) for name in names}
        values = [measure.text(means) for measure in MEASURES]
        seconds = _number(_seconds(entry), 2)
        lines.append(line([table.name, row.label, str(column), *values, seconds]))
    return lines


def _seconds(entry: Entry) -> float:
    """Of a thousand images, of the fastest seed."""
    return 1000 * min(result.seconds / result.count for result in entry.results)
