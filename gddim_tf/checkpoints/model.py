"""Published weights as a model that samples: the network with the diffusion it was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gddim_tf.checkpoints.imported import Imported
from gddim_tf.checkpoints.loading import read
from gddim_tf.models import DiffusionModel
from gddim_tf.networks import UnitRange
from gddim_tf.sdes import VESDE, LinearSDE, make


def load(
    path: str | Path, format: str | None = None, *, sde: Any = None, **options: Any
) -> DiffusionModel:
    """A `DiffusionModel` with published weights, ready to sample with any sampler.

    Args:
      path: a file of weights, or the folder of a diffusers model or pipeline; `read` tells all.
      format: one of `FORMATS`; None finds it out from the names of the tensors.
      sde: None for the one that the format stands for: DDPM's table of betas (from the scheduler's
        configuration beside a diffusers network, else linear from 1e-4 to 0.02 in 1000 steps) for
        diffusers and ermongroup; `VESDE.karras()` for EDM; for score_sde, CLD-SGM and gDDIM that of
        the configuration with its constants, or of the preset. A name of `sdes.make` or a diffusion
        otherwise.
      **options: further arguments of `read`. Whether gDDIM's network predicts a mixed score only
        its configuration tells; with a preset it does not, as in the published weights.

    Returns:
      The model, for images in [-1, 1]; a variance exploding network that was trained on [0, 1] is a
      `UnitRange`, and its diffusion has noise twice as large.

    Raises:
      FileNotFoundError: if there is no such file.
      ValueError: if the file is damaged, of an unknown or refused kind, or does not fit, or nothing
        tells its diffusion.
    """
    return with_diffusion(read(path, format, **options), sde)


def with_diffusion(imported: Imported, sde: LinearSDE | str | None = None) -> DiffusionModel:
    """A model of an imported network; `sde` is that of `load`, which raises the same errors."""
    network, meaning = imported.network, imported.meaning
    if isinstance(sde, str):
        sde = make(sde, network.image_size)
    if sde is None:
        sde = imported.diffusion()
    if not isinstance(sde, LinearSDE):
        raise TypeError(f"`sde` must be a diffusion or the name of one, received {sde!r}")
    drifts, centered = meaning.time_convention != "sigma", network.architecture.centered
    if imported.source == "diffusers":
        # its pipelines draw images in [-1, 1] with a drift and in [0, 1] without, whether or not
        # the network centres what it is given (once more)
        centered = drifts
    if not centered and drifts:
        raise ValueError(
            "the setting `centered` must be true unless the diffusion is variance exploding, "
            "received false: images in [0, 1] do not drift to 0 as those in [-1, 1] do"
        )
    if not centered and not drifts:
        network, sde = UnitRange(network), _doubled(sde)
    return DiffusionModel(network, sde, meaning.prediction, meaning.data_std)


def _doubled(sde: LinearSDE) -> VESDE:
    """The noise of images in [0, 1] as it is on images in [-1, 1]."""
    if not isinstance(sde, VESDE) or sde.schedule != "geometric":
        raise ValueError(
            f"`sde` must be VESDE for a network that was trained on images in [0, 1], received "
            f"{sde}"
        )
    return VESDE(2 * sde.sigma_min, 2 * sde.sigma_max, t_min=sde.t_min, t_max=sde.t_max)
