"""Time this package, beside PyTorch and diffusers where scripts/peer.sh has been run.

For example:
  python -m benchmarks.speed
  python -m benchmarks.speed --only loop,tables --runs 9 --peer none
  python -m benchmarks.speed --compare
  python -m benchmarks.speed --only scaling --plot scaling.png

Both sides run in turn and medians are told. A ratio is the median over neighbouring runs, below 1
where this package is faster ("beside" a network or a model alone, the overhead). Prints tables in
Markdown; --json keeps the numbers; --compare tells which ratios have grown by more than a tenth
since the committed ones, or an earlier --json.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import platform
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from benchmarks.speed import calls, loop, network, operations, scaling
from benchmarks.speed.peer import Peer, peer_python
from benchmarks.speed.turns import Measured
from gddim_tf.atomic import atomic_write
from gddim_tf.cli.program import explained
from gddim_tf.outputs import Output, parsed
from gddim_tf.reading import read_json, reading

Section = Callable[[Peer | None, int], Iterator[Measured]]
SECTIONS: dict[str, Section] = {
    "network": network.evaluations,
    "training": network.training,
    "loop": loop.own_cost,
    "calls": calls.whole_calls,
    "constants": calls.constants,
    "tables": loop.tables,
    "memory": calls.memory,
    "scaling": scaling.scaling,
    "export": calls.exported,
    "operations": operations.evaluation_parts,
}
_GROWN = 1.1

# Of the machine that docs/performance.md describes.
BASELINE = pathlib.Path(__file__).with_name("baseline.json")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sections that are asked for; 0, or 2 if the options do not fit."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    options = parsed(parser, {"--json": Output.FILE, "--plot": Output.PICTURE}, arguments)
    wanted = list(dict.fromkeys(options.only.split(",")))
    for name in wanted:
        if name not in SECTIONS:
            parser.error(f"--only must name some of {', '.join(SECTIONS)}, received {name!r}")
    if options.runs < 1:
        parser.error(f"--runs must be at least 1, received {options.runs}")
    if options.plot and "scaling" not in wanted:
        parser.error(f"--plot needs the section scaling, received --only {options.only}")
    return explained("python -m benchmarks.speed", lambda: run(options, wanted))


def run(options: argparse.Namespace, wanted: Sequence[str]) -> None:
    """Measure the sections, and tell, keep, draw and compare what was found."""
    before = earlier(options.compare) if options.compare else {}
    python = peer_python(options.peer)
    with contextlib.ExitStack() as stack:
        peer = stack.enter_context(Peer(python)) if python else None
        print(_machine(peer), flush=True)
        found = {name: _section(name, peer, options.runs) for name in wanted}
    if options.json:
        numbers = {name: [line._asdict() for line in lines] for name, lines in found.items()}
        with atomic_write(options.json) as draft:
            draft.write_text(json.dumps(numbers, indent=1) + "\n")
    if options.plot:
        scaling.plot(found["scaling"], options.plot)
    if options.compare:
        grown, count = grown_ratios(found, before), len(compared(found, before))
        print(f"\nof {count} ratios grew by more than a tenth:", *(grown or ["none"]), sep="\n  ")


def earlier(path: pathlib.Path) -> dict[str, list[dict[str, Any]]]:
    """What an earlier run kept by `--json`, by section.

    Raises:
      DamagedFileError: if the file holds something else.
      OSError: if it cannot be read.
    """
    what = "numbers that --json wrote"
    kept = read_json(path, what)
    with reading(path, what):
        return {name: [Measured(**line)._asdict() for line in kept[name]] for name in kept}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, by commas")
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each side")
    parser.add_argument(
        "--peer", help="its Python, or none; by default that of scripts/peer.sh, if it is there"
    )
    parser.add_argument("--json", type=pathlib.Path, help="file for the numbers")
    parser.add_argument("--plot", type=pathlib.Path, help="picture of the section scaling")
    parser.add_argument(
        "--compare",
        type=pathlib.Path,
        nargs="?",
        const=BASELINE,
        help="numbers of an earlier --json; without a file the committed ones",
    )


def _section(name: str, peer: Peer | None, runs: int) -> list[Measured]:
    """Run one, printing each line as it comes."""
    print(f"\n## {name}\n\n| | unit | ours | peer | ratio |\n|---|---|---|---|---|")
    lines = []
    for line in SECTIONS[name](peer, runs):
        lines.append(line)
        print(row(line), flush=True)
    return lines


def _machine(peer: Peer | None) -> str:
    beside = peer.versions if peer else "no peer (see scripts/peer.sh)"
    names = pathlib.Path("/proc/cpuinfo")
    text = names.read_text() if names.exists() else ""
    model = next((x.split(":")[1].strip() for x in text.splitlines() if "model name" in x), "")
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    return f"{os.cpu_count()} cores {model or platform.machine()}, load {load}; {beside}"


def row(line: Measured) -> str:
    """One row of a table in Markdown."""
    numbers = (line.ours, line.peer, line.ratio)
    cells = ("" if number is None else f"{number:.3g}" for number in numbers)
    return f"| {line.name} | {line.unit} | {' | '.join(cells)} |"


def compared(
    found: dict[str, list[Measured]], before: dict[str, list[dict[str, Any]]]
) -> list[tuple[str, float, float]]:
    """The lines that have a ratio on both sides: name, before, now."""
    known = {(name, line["name"]): line["ratio"] for name in before for line in before[name]}
    return [
        (f"{name}: {line.name}", old, line.ratio)
        for name, lines in found.items()
        for line in lines
        if (old := known.get((name, line.name))) and line.ratio
    ]


def grown_ratios(
    found: dict[str, list[Measured]], before: dict[str, list[dict[str, Any]]]
) -> list[str]:
    """Which ratios have grown by more than a tenth; times themselves depend on the machine."""
    lines = compared(found, before)
    return [f"{name}: {old:.3g} -> {new:.3g}" for name, old, new in lines if new > _GROWN * old]
