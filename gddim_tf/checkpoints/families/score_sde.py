"""What the networks of score_sde, gDDIM and CLD-SGM mean, and the diffusions they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from gddim_tf.checkpoints.families import score_sde_config, score_sde_names
from gddim_tf.checkpoints.families.family import Checkpoint, Meaning
from gddim_tf.checkpoints.families.torch_names import Tensors
from gddim_tf.networks import Architecture, ScoreUNet
from gddim_tf.sdes import BDM, CLD, VESDE, VPSDE, LinearSDE

# Our names of constants, and those of the sources.
_CONSTANTS = {
    VPSDE: {"beta_min": ("beta_min",), "beta_max": ("beta_max",)},
    VESDE: {"sigma_min": ("sigma_min",), "sigma_max": ("sigma_max",)},
    CLD: {
        "beta_0": ("beta_0", "beta0"),
        "beta_1": ("beta_1", "beta1"),
        "gamma": ("vv_gamma", "gamma"),
        "initial_eps": ("numerical_eps",),
    },
    BDM: {"sigma_blur": ("sigma_blur_max",)},
}
_NAMES = (None, "vpsde", "vesde", "cld")


class ScoreSDE:
    """The networks of score_sde and gDDIM, whose configuration tells the diffusion.

    Attributes:
      ends: the name of a convolution's kernel, with `{i}` for the number of the layer, and the axes
        of its input and output channels.
    """

    network = ScoreUNet
    ends: ClassVar[tuple[str, int, int]]

    def options(self, tensors: Tensors, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of `ScoreUNet`.

        Args:
          tensors: the weights by name; they tell the channels of the input and the output.
          config: score_sde's sections "model" and "data", or CLD-SGM's flat table.

        Raises:
          ValueError: if a setting is missing or asks for something that the network does not do.
        """
        name, inputs, outputs = self.ends
        channels = score_sde_names.channels(tensors, name, inputs=inputs, outputs=outputs)
        return score_sde_config.options(config, *channels)

    def meaning(self, checkpoint: Checkpoint) -> Meaning:
        """Variance-exploding networks are told sigma and predict the score.

        The others are told 999 t and predict the noise (up to the mixed score of gDDIM,
        eps = network + R^-1 (0, v)).
        """
        config = score_sde_config.flatten(checkpoint.config)
        if _exploding(config):
            return Meaning("sigma", "score")
        return Meaning("999t", "eps_mixed" if config.get("mixed_score") else "eps")

    def diffusion(self, checkpoint: Checkpoint, architecture: Architecture) -> LinearSDE:
        """The diffusion that a configuration, or the preset that takes its place, stands for."""
        config = score_sde_config.flatten(checkpoint.config)
        if config.get("sde") not in _NAMES:
            raise ValueError(
                f"the setting `sde` must be vpsde, vesde or cld unless `sde` is given, received "
                f"{config['sde']!r}"
            )
        if _exploding(config):
            return VESDE(**_given(VESDE, config))
        if architecture.components == 2:
            return langevin(config)
        if "sigma_blur_max" in config or "_bdm_" in (checkpoint.preset or ""):
            return BDM(architecture.image_size, **_given(BDM, config))
        if checkpoint.preset is None and "sde" not in config:
            raise ValueError(
                '`sde` must be given where the configuration does not tell the diffusion: "vp", or '
                '"bdm" for a blurring network'
            )
        return VPSDE(**_given(VPSDE, config))


def langevin(config: Mapping[str, Any], **silent: float) -> CLD:
    """The Langevin diffusion of a flat configuration.

    Args:
      config: the settings.
      **silent: constants of `CLD` that hold where the configuration is silent.
    """
    constants = _given(CLD, config)
    if config.get("m_inv") is not None:
        constants["mass"] = 1 / float(config["m_inv"])
    return CLD(**{**silent, **constants})


def _exploding(config: Mapping[str, Any]) -> bool:
    return config.get("sde") == "vesde" or bool(config.get("scale_by_sigma"))


def _given(kind: type[LinearSDE], config: Mapping[str, Any]) -> dict[str, Any]:
    """The constants of a diffusion that a configuration holds."""
    return {
        ours: float(config[name])
        for ours, theirs in _CONSTANTS[kind].items()
        for name in theirs
        if config.get(name) is not None
    }
