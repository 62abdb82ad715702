"""What the options of several commands have in common; it needs no TensorFlow."""

from __future__ import annotations

import argparse
import importlib
import os
import re
import sys
from typing import TYPE_CHECKING

from gddim_tf.choice import one_of
from gddim_tf.cli.names import KINDS, names
from gddim_tf.image_size import compact

if TYPE_CHECKING:
    from gddim_tf.samplers import Sampler


def listed(kind: str) -> str:
    """The names of a kind as people list them: "a, b or c"."""
    *most, last = names(kind)
    return f"{', '.join(most)} or {last}"


DATA_SETS = listed("data set")
DIFFUSIONS, NETWORKS = listed("sde"), listed("network")
SAMPLERS = (
    f"default (one that suits diffusion and budget), {listed('sampler')}; with arguments "
    'as in Python, "ddim(eta=1)"; tuned:PATH, what `tune` wrote; or an own class as '
    "module:Name"
)
FEATURES = (
    "digits, fashion, inception (from TensorFlow Hub), digits:FILE, fashion:FILE, "
    "inception:FOLDER, or random (any size, no file, nothing to compare with published numbers)"
)

_FEATURES = ("digits", "fashion", "inception", "random")


def check_names(options: argparse.Namespace) -> None:
    """Refuse a mistyped name or no model without waiting for TensorFlow.

    Raises:
      ValueError: if a name is unknown; the message tells the one that it resembles.
    """
    given = vars(options)
    if given.get("model") == "":  # it would mean the working directory
        raise ValueError("`--model` must not be empty")
    for kind in KINDS:
        value = given.get(kind)
        if isinstance(value, str) and kind != "sampler":
            one_of(kind, value, names(kind))
    for text in (given.get("sampler"), given.get("samplers")):
        for name in re.split("[,;]", _without_brackets(text or "")):
            if re.fullmatch(r"\w+", name.strip()):
                one_of("sampler", name.strip().lower(), ("default", *names("sampler")))


def _without_brackets(text: str) -> str:
    """A list of samplers without their arguments."""
    depth, left = 0, []
    for letter in text:
        depth += letter in "([{"
        left += [letter] * (depth == 0)
        depth -= letter in ")]}"
    return "".join(left)


def whole_numbers(text: str) -> list[int]:
    """Whole numbers separated by commas, as the `type` of an option.

    Raises:
      ArgumentTypeError: if something else is between the commas; argparse names the option.
    """
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be whole numbers separated by commas, received {text!r}"
        ) from None


def classes(text: str) -> list[int] | list[str]:
    """Classes separated by commas, as the `type` of an option: numbers, or else names.

    Raises:
      ArgumentTypeError: if there is nothing between two commas; argparse names the option.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise argparse.ArgumentTypeError(f"must be classes separated by commas, received {text!r}")
    numbers = all(re.fullmatch(r"[+-]?[0-9]+", part) for part in parts)
    return [int(part) for part in parts] if numbers else parts


def image_size(text: str) -> int | tuple[int, int]:
    """The type of options such as "32" or "8x16" (height and width)."""
    if not re.fullmatch(r"[1-9]\d*(x[1-9]\d*)?", text):
        raise argparse.ArgumentTypeError(
            f"must be pixels a side, such as 32, or HEIGHTxWIDTH, received {text!r}"
        )
    return compact([int(side) for side in (text.split("x") * 2)[:2]])


def named_value(text: str) -> tuple[str, str]:
    """A name and a value with = between, as the `type` of an option.

    Raises:
      ArgumentTypeError: if there is no name or no =; argparse names the option.
    """
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE, received {text!r}")
    return name, value


def named_sampler(text: str) -> Sampler | None:
    """The sampler of a `--sampler`; None for `default`, which depends on diffusion and budget.

    Args:
      text: a sampler's name, or a call with keywords; `tuned:PATH`; or `module:Name`, with
        arguments if need be, of an own class in a module that Python finds, from the current folder
        as well.

    Raises:
      ValueError: if there is no such sampler, or the module has no such class of samplers.
      ImportError: if the module cannot be imported.
    """
    from gddim_tf.samplers.parse import parse

    text = text.strip()
    if text.lower() == "default":
        return None
    if text.startswith("tuned:"):
        return parse(text)
    own = re.fullmatch(r"([A-Za-z_][\w.]*):([A-Za-z_]\w*)(\(.*\))?", text, re.DOTALL)
    if not own:
        return parse(text)
    module, name, arguments = own.groups()
    return parse(name + (arguments or ""), {name: _own_sampler(module, name)})


def named_samplers(text: str) -> list[Sampler | None]:
    """The samplers of a `--samplers`, separated by commas or semicolons."""
    from gddim_tf.samplers.parse import split

    return [named_sampler(part) for part in split(text)]


def _own_sampler(module: str, name: str) -> type:
    from gddim_tf.samplers import Sampler

    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # an installed command does not look there
    try:
        value = getattr(importlib.import_module(module), name, None)
    except Exception as error:  # whatever the module does
        reason = f"{type(error).__name__}: {error}"
        raise ImportError(f"`sampler` {module}:{name} cannot be imported: {reason}") from error
    if not (isinstance(value, type) and issubclass(value, Sampler)):
        raise ValueError(
            f"`sampler` {module}:{name} must be a class of Sampler, received {value!r}"
        )
    return value


def features_for(dataset: str, features: str | None) -> str:
    """The features that were asked for, or else those that take the images of a data set.

    Raises:
      ValueError: if there are none of that name, or a classifier's path names no file of Keras.
    """
    if features:
        _check_features(features)
        return features
    if dataset == "digits":
        return dataset
    return "fashion" if _holds_clothes(dataset) else "inception"


def _check_features(features: str) -> None:
    kind, colon, path = features.partition(":")
    if kind not in _FEATURES or (kind == "random" and colon):
        raise ValueError(
            "`--features` must be digits, fashion or inception, alone or followed by a colon and "
            f"a path, or random, received {features!r}"
        )
    if path and kind in ("digits", "fashion") and not path.endswith(".keras"):
        raise ValueError(
            f"`--features` {kind}:FILE must name a file that ends in .keras, received {features!r}"
        )


def _holds_clothes(dataset: str) -> bool:
    """Whether a data set is Fashion-MNIST, also in a folder of its own files."""
    from gddim_tf import data

    if not dataset.startswith("idx:"):
        return dataset == "fashion_mnist"
    return data.info(dataset).class_names == data.FASHION_MNIST_CLASSES
