"""What a family of published checkpoints has to know about its files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from gddim_tf.checkpoints.families.torch_names import Tensors
from gddim_tf.networks import Architecture, AttentionArchitecture, AttentionUNet, ScoreUNet
from gddim_tf.sdes import LinearSDE

Network = ScoreUNet | AttentionUNet
AnyArchitecture = Architecture | AttentionArchitecture


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """What was found at a path, under the names of its source.

    Args:
      tensors: the weights by name.
      config: the configuration of the network, as far as there is one.
      scheduler: the configuration of a diffusers scheduler beside it, else empty.
      preset: the name of the network's preset, if it takes the place of a configuration.
    """

    tensors: Tensors
    config: Mapping[str, Any]
    scheduler: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    preset: str | None = None


class Meaning(NamedTuple):
    """How a network is to be asked, and what its answer is.

    Args:
      time_convention: the label it expects: "index" (of discrete times), "999t" (t in [0, 1]), "t",
        "sigma" or "c_noise" (EDM's, a function of sigma).
      prediction: what it predicts, one of `DiffusionModel`'s.
      data_std: the standard deviation of the data that the prediction "v" assumes.
    """

    time_convention: str
    prediction: str
    data_std: float = 1.0


class Family(Protocol):
    """The checkpoints of one source; `FAMILIES` lists one object of each.

    The architecture that a method is given is that of its own `network`.

    Raises:
      ValueError: from each method but `recognises`, if the file contradicts itself, asks for
        something that the network does not do, or does not tell what is needed.
    """

    @property
    def name(self) -> str:
        """What `format` calls the family."""
        ...

    @property
    def network(self) -> type[Network]:
        """The class of its networks."""
        ...

    def recognises(self, tensors: Tensors, config: Mapping[str, Any]) -> bool:
        """Whether names and configuration are this family's."""
        ...

    def options(self, tensors: Tensors, config: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of the network, from the names and shapes or the configuration."""
        ...

    def weights(
        self, checkpoint: Checkpoint, architecture: Any
    ) -> Iterator[tuple[str, np.ndarray]]:
        """The tensors by our names, in our layout; those without a name of ours keep theirs."""
        ...

    def meaning(self, checkpoint: Checkpoint) -> Meaning:
        """The time label, the prediction and the spread of the data."""
        ...

    def diffusion(self, checkpoint: Checkpoint, architecture: Any) -> LinearSDE:
        """The diffusion that the network was trained on."""
        ...
