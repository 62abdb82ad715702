"""Published weights as a model that samples: the network with the diffusion it was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gddim_tf.checkpoints.loading import read
from gddim_tf.models import DiffusionModel
from gddim_tf.sdes import make


def load(
    path: str | Path, format: str | None = None, *, sde: Any = None, **options: Any
) -> DiffusionModel:
    """A `DiffusionModel` with published weights, ready to sample with any sampler.

    Args:
      path: see `read`.
      format: see `read`.
      sde: None for the one that the format stands for: DDPM's table of betas (from the scheduler's
        configuration beside a diffusers network, else linear from 1e-4 to 0.02 in 1000 steps) for
        diffusers and ermongroup; `VESDE.karras()` for EDM; for score_sde, CLD-SGM and gDDIM that of
        the configuration with its constants, or of the preset. A name of `sdes.make` or a diffusion
        otherwise.
      **options: further arguments of `read`. Whether gDDIM's network predicts a mixed score only
        its configuration tells; with a preset it does not, as in the published weights.

    Returns:
      The model.

    Raises:
      FileNotFoundError: if there is no such file.
      ValueError: if the file is damaged, of an unknown or refused kind, or does not fit, or nothing
        tells its diffusion.
    """
    imported = read(path, format, **options)
    if isinstance(sde, str):
        sde = make(sde, imported.network.image_size)
    if sde is None:
        sde = imported.diffusion()
    meaning = imported.meaning
    return DiffusionModel(imported.network, sde, meaning.prediction, meaning.data_std)
