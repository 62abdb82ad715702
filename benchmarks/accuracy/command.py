"""Error against NFE of the samplers, on data whose score is known and on trained networks.

    python -m benchmarks.accuracy --out docs

It writes `accuracy.md` and `accuracy.png`. The problems are two-component Gaussian mixtures, on
which the error is the root mean square distance, per value, to the end of the exact probability
flow; and the networks in `saved_models`, each on 16 starting states, on which it is that to the
images of the network's own flow, followed with 150 evaluations. The published figures were
recorded once from the original implementations on the same mixtures; this command does not run
them. What was measured is kept in `--kept`, by sampler and budget, and not measured again.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import re
from collections.abc import Callable, Sequence

from benchmarks.accuracy import document
from benchmarks.accuracy.cases import NFES, ON_NETWORKS, SAMPLERS, Case, mixtures, trained
from gddim_tf.atomic import atomic_write
from gddim_tf.outputs import Output, parsed
from gddim_tf.samplers import Heun, default

Errors = dict[str, dict[int, float]]
WRITES = {"--out": Output.FOLDER, "--kept": Output.FOLDER}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    add_arguments(parser)
    options = parsed(parser, WRITES, arguments)
    errors = {
        name: measured(make, names, options.kept / f"{re.sub(r'[^a-z0-9_]+', '-', name.lower())}")
        for problems, names in ((mixtures(), tuple(SAMPLERS)), (trained(), ON_NETWORKS))
        for name, make in problems.items()
    }
    text = document.text(errors)
    with atomic_write(options.out / "accuracy.md") as draft:
        draft.write_text(text)
    document.plot(errors, options.out / "accuracy.png")
    print(text)
    return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("docs"), help="folder")
    parser.add_argument(
        "--kept",
        type=pathlib.Path,
        default=pathlib.Path("runs/accuracy"),
        help="folder of what was measured; remove it when samplers or models have changed",
    )


def measured(make: Callable[[], Case], names: Sequence[str], path: pathlib.Path) -> Errors:
    """Errors by sampler and NFE; what a method cannot spend, or the SDE has not, is left out.

    Args:
      make: makes the problem.
      names: of the samplers, in `SAMPLERS`.
      path: file of what is known of it, without its ending; it grows.
    """
    path = path.with_name(f"{path.name}.json")
    known = json.loads(path.read_text()) if path.exists() else {}
    case, errors = make(), {}
    for name in names:
        sampler, errors[name] = SAMPLERS[name], {}
        for nfe in NFES:
            # Heun's method spends odd budgets
            spent = nfe - 1 if isinstance(sampler, Heun) and nfe % 2 == 0 else nfe
            used = sampler or default(case.sde, nfe)
            key = f"{used!r} {spent}"
            if key not in known:
                try:
                    known[key] = case.error(used.table(case.sde, spent))
                except ValueError:  # a budget that the method cannot spend
                    known[key] = None
                with atomic_write(path) as draft:
                    draft.write_text(json.dumps(known, indent=1))
            if known[key] is not None:
                errors[name][nfe] = known[key]
    return errors
