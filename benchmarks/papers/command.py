r"""Make the published tables again: Frechet distances by sampler and budget, with plots.

For example:
  python -m benchmarks.papers --out docs/tables
  python -m benchmarks.papers --quick --models vp=runs/digits --out runs/tables
  python -m benchmarks.papers --dataset cifar10 --checkpoint cld.keras --count 50000 \
      --out runs/cifar10

The models default to those that come with the data set: `digits_vp`, `digits_cld` and `digits_bdm`
in `saved_models` below the current folder, for example. Images and results are kept; the same
command goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import functools
import math
import os
import pathlib
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from benchmarks.papers.subjects import KINDS, Subject, subject_of
from gddim_tf.checks import whole
from gddim_tf.cli.arguments import FEATURES, features_for
from gddim_tf.cli.program import Formatter, Parser, explained
from gddim_tf.outputs import Output, check_outputs
from gddim_tf.quiet import start_tensorflow

if TYPE_CHECKING:
    from benchmarks.papers.definitions import Table
    from benchmarks.papers.plan import Plan
    from gddim_tf.models import GenerativeModel
    from gddim_tf.sdes import LinearSDE

_PROGRAM = "python -m benchmarks.papers"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
      arguments: without the program's name; `sys.argv` by default.

    Returns:
      The exit code, as `explained` gives it.
    """
    parser = Parser(prog=_PROGRAM, description=__doc__, formatter_class=Formatter)
    add_arguments(parser)
    options = parser.parse_args(arguments)
    return explained(_PROGRAM, lambda: run(options), resumes=True)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--out", required=True, help="folder for results.md, pictures and cells")
    parser.add_argument("--cells", help="folder of the finished cells, OUT/cells by default")
    parser.add_argument(
        "--models", help="vp=PATH,cld=PATH,bdm=PATH, each as --model of the other commands"
    )
    parser.add_argument("--checkpoint", help="one model, its diffusion found by itself")
    parser.add_argument("--dataset", default="digits", help="real images to compare with")
    parser.add_argument("--features", help=f"{FEATURES}; those that suit the data by default")
    parser.add_argument("--quick", action="store_true", help="200 images, one seed, NFE up to 20")
    parser.add_argument(
        "--count", type=int, help="images per seed; by default what suits the data set"
    )
    parser.add_argument("--seeds", type=int, help="how many; by default what suits the data set")
    parser.add_argument(
        "--minutes",
        type=float,
        default=math.inf,
        metavar="M",
        help="begin no other cell after this time, and write what is there",
    )
    parser.add_argument("--only", help="names of tables, separated by commas")
    parser.add_argument("--batch-size", type=int, default=500, help="images per pass")


def run(options: argparse.Namespace) -> None:
    """Make the cells that are missing and write the document."""
    check_outputs(options, {"--out": Output.FOLDER, "--cells": Output.FOLDER})
    _check(options)
    workers = _start(options)

    from benchmarks.papers.make import Workshop
    from gddim_tf import data
    from gddim_tf.evaluation.features import feature_extractor
    from gddim_tf.evaluation.reference import Reference
    from gddim_tf.image_size import compact

    tables = _tables(options.only)
    data.info(options.dataset)  # an unknown one is refused before its features are looked for
    features = features_for(options.dataset, options.features)
    subject = subject_of(options.dataset, features)
    plan = _plan(options, subject)
    paths, models = _models(options, subject)
    _check_rows(tables, models)
    size = compact(next(iter(models.values())).image_shape[:2])
    cells = pathlib.Path(options.cells or pathlib.Path(options.out) / "cells")
    fewest = min(plan.count, *(count for _, count in plan.long))
    extractor = feature_extractor(features)
    reference = Reference(options.dataset, extractor, size, cache=cells, count=fewest)
    workshop = Workshop(
        models,
        reference,
        plan,
        pathlib.Path(options.out),
        cells,
        {
            "command": f"`{_command(options)}`",
            "models": "; ".join(
                f"{kind} {paths[kind]} (weights {model.fingerprint()}), {model.sde!r}"
                for kind, model in models.items()
            ),
        },
        subject,
        tables,
        options.batch_size,
        workers,
    )
    say = functools.partial(print, flush=True)
    print(f"the tables are in {workshop.make(say, 60 * options.minutes)}")


def _check(options: argparse.Namespace) -> None:
    """Refuse what needs no TensorFlow to be seen."""
    for name in ("models", "checkpoint", "features"):
        if getattr(options, name) == "":
            raise ValueError(f"`--{name}` must not be empty")
    whole("--batch-size", options.batch_size, 1)
    if not options.minutes >= 0:
        raise ValueError(f"`--minutes` must be at least 0, received {options.minutes}")


def _start(options: argparse.Namespace) -> int:
    """Start TensorFlow as suits the networks, and return how many passes go side by side."""
    workers = 1
    # features that were not asked for do not make a data set small
    if subject_of(options.dataset, options.features or "").small:  # one pass per core
        workers = os.cpu_count() or 1
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    # a quarter faster than Eigen, which TensorFlow prefers on processors without AVX512-VNNI
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    start_tensorflow()
    return workers


def _tables(only: str | None) -> tuple[Table, ...]:
    from benchmarks.papers.definitions import TABLES

    if only is None:
        return TABLES
    known = {table.name: table for table in TABLES}
    names = [name.strip() for name in only.split(",")]
    for name in names:
        if name not in known:
            raise ValueError(f"`--only` must name some of {', '.join(known)}, received {name!r}")
    if len(set(names)) < len(names):
        raise ValueError(f"`--only` must name each table once, received {only!r}")
    return tuple(known[name] for name in names)


def _check_rows(tables: Sequence[Table], models: Mapping[str, GenerativeModel]) -> None:
    """Refuse tables of which no row can be made."""
    kinds = dict.fromkeys(row.kind for table in tables for row in table.rows)
    if not kinds.keys() & models.keys():
        raise ValueError(
            f"`--only` {', '.join(table.name for table in tables)} has rows of "
            f"{', '.join(kinds)}, received models of {', '.join(models)}"
        )


def _plan(options: argparse.Namespace, subject: Subject) -> Plan:
    import dataclasses

    from benchmarks.papers.plan import Plan

    whole = Plan(count=subject.count, seeds=subject.seeds, long=subject.long)
    plan = Plan.quick() if options.quick else whole
    given = {
        name: value
        for name, value in (("count", options.count), ("seeds", options.seeds))
        if value is not None
    }
    for name, value in given.items():
        if value < 1:
            raise ValueError(f"`--{name}` must be at least 1, received {value}")
    if "count" in given:
        given["long"] = tuple((column, min(few, given["count"])) for column, few in plan.long)
    return dataclasses.replace(plan, **given)


def _models(
    options: argparse.Namespace, subject: Subject
) -> tuple[dict[str, str], dict[str, GenerativeModel]]:
    """Paths and models by kind."""
    from gddim_tf.models import load

    if options.checkpoint:
        if options.models:
            raise ValueError("`--checkpoint` and `--models` exclude each other, received both")
        model = load(options.checkpoint)
        return {_kind(model.sde): options.checkpoint}, {_kind(model.sde): model}
    if options.models:
        pairs = [pair.partition("=")[::2] for pair in options.models.split(",")]
        if not all(kind in KINDS and path for kind, path in pairs):
            raise ValueError(
                f"`--models` must be KIND=PATH, separated by commas, KIND one of "
                f"{', '.join(KINDS)}, received {options.models!r}"
            )
        paths = dict(pairs)
        if len(paths) < len(pairs):
            raise ValueError(f"`--models` must name each kind once, received {options.models!r}")
    elif subject.models:
        paths = dict(subject.models)
    else:
        raise ValueError(f"`--models` or `--checkpoint` must be given for {options.dataset}")
    models = {kind: load(path) for kind, path in paths.items()}
    for kind, model in models.items():
        if _kind(model.sde) != kind:
            raise ValueError(f"`--models` {kind} must have that diffusion, received {model.sde!r}")
    shapes = sorted({tuple(model.image_shape) for model in models.values()})
    if len(shapes) > 1:
        raise ValueError(f"`--models` must have images of one shape, received {shapes}")
    return paths, models


def _kind(sde: LinearSDE) -> str:
    """The key of a model's diffusion in the tables."""
    from gddim_tf.sdes import VESDE

    if isinstance(sde, VESDE):
        raise ValueError(
            "a model must be of a VP, Langevin or blurring diffusion, of which the tables are, "
            f"received {sde!r}; `gddim-tf evaluate` takes any"
        )
    return "bdm" if sde.modes else "cld" if sde.components > 1 else "vp"


def _command(options: argparse.Namespace) -> str:
    """The command line that repeats this run."""
    words = [_PROGRAM]
    for name, value in vars(options).items():
        if value in (None, False) or name == "minutes":  # it does not change what is made
            continue
        flag = "--" + name.replace("_", "-")
        words.append(flag if value is True else f"{flag} {shlex.quote(str(value))}")
    return " ".join(words)
