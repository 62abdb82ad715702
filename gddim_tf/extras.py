"""What is installed only where it is asked for."""

from __future__ import annotations


def missing(extra: str, purpose: str, error: ImportError) -> ImportError:
    """The error of a part of the package whose extra is not installed.

    Args:
      extra: a name of `[options.extras_require]` in setup.cfg.
      purpose: what cannot be done without it, the beginning of a sentence.
      error: what Python said.
    """
    return ImportError(
        f'{purpose} needs what `pip install "gddim_tf[{extra}]"` installs, received: {error}'
    )
