"""The configuration of a `UNet2DModel` as arguments of our network, or the reasons why not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gddim_tf.checkpoints.families.diffusers_defaults import ALLOWED, DEFAULTS

# Of each kind of level: whether it attends, and whether it resamples inside a residual block
# (None: as `downsample_type` or `upsample_type` says).
_PLAIN = {
    "DownBlock2D": (False, False),
    "AttnDownBlock2D": (True, None),
    "ResnetDownsampleBlock2D": (False, True),
}
_SKIP = {"SkipDownBlock2D": (False, True), "AttnSkipDownBlock2D": (True, True)}
_MAX_CLASSES = 100_000
_GROUPS = 32  # of the attention in levels with skips, whatever is set


class Settings:
    """A configuration with the library's defaults, and what stands against its conversion.

    Args:
      config: the contents of `config.json`; `image_size` takes the place of `sample_size`.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        given = {name: value for name, value in config.items() if name in DEFAULTS}
        self._config = {**DEFAULTS, **given}
        if isinstance(self._config["act_fn"], str):  # which the library reads in any case
            self._config["act_fn"] = self._config["act_fn"].lower()
        self._size = config.get("image_size") or self._config["sample_size"]
        self._widths = [int(width) for width in self._config["block_out_channels"]]
        self._down = [_short(kind) for kind in self._config["down_block_types"]]
        # From the highest resolution to the lowest, under the names of the way down.
        self._up = [
            _short(kind).replace("ResnetUp", "ResnetDown").replace("Up", "Down")
            for kind in reversed(self._config["up_block_types"])
        ]
        self._skip = bool(set(self._down) & set(_SKIP))
        self._kinds = _SKIP if self._skip else _PLAIN
        self.obstacles = [
            *self._unknown(config),
            *self._choices(),
            *self._levels(),
            *(self._skip_levels() if self._skip else self._plain_levels()),
            *self._heads(),
            *self._classes(),
        ]
        if self._size is None:
            self.obstacles.append("`sample_size` must be given: pass `image_size` (--image-size)")

    def options(self) -> dict[str, Any]:
        """Return the arguments of `ScoreUNet`.

        Raises:
          ValueError: naming everything that the network does not do.
        """
        if self.obstacles:
            raise ValueError(f"this UNet2DModel cannot be converted: {'; '.join(self.obstacles)}")
        config = self._config
        size = self._size if isinstance(self._size, int) else tuple(self._size)
        shorter = size if isinstance(size, int) else min(size)
        attention = [self._kinds[kind][0] for kind in self._down]
        fourier = config["time_embedding_type"] == "fourier"
        activation = config["act_fn"]
        return {
            "image_size": size,
            "channels": config["in_channels"],
            "out_channels": config["out_channels"],
            "base_channels": self._widths[0],
            "channel_multipliers": tuple(width / self._widths[0] for width in self._widths),
            "blocks_per_level": config["layers_per_block"],
            "attention_resolutions": tuple(shorter >> n for n, has in enumerate(attention) if has),
            "head_channels": config["attention_head_dim"],
            "middle_groups": self._middle_groups(),
            "middle": self._middle(),
            "num_classes": config["num_class_embeds"] or 0,
            "dropout": config["dropout"],
            "activation": "silu" if activation == "swish" else activation,
            "time_scale_shift": config["resnet_time_scale_shift"] == "scale_shift",
            "embedding": config["time_embedding_type"],
            "embedding_channels": config["time_embedding_dim"],
            "frequency_shift": config["freq_shift"],
            "cosine_first": config["flip_sin_to_cos"],
            "downsample_padding": "around" if config["downsample_padding"] else "after",
            "norm_groups": None if self._skip else config["norm_num_groups"],
            "norm_epsilon": config["norm_eps"],
            "centered": not config["center_input_sample"],
            "scale_by_sigma": fourier,
            **self._structure(),
        }

    def _structure(self) -> dict[str, Any]:
        """The options in which levels with skips differ from plain ones."""
        if self._skip:
            return {
                "up_attention": "last",
                "resampling": "block",
                "fir_kernel": (1, 3, 3, 1),
                "skip_rescale": True,
                "input_pyramid": "skip",
                "output_pyramid": "skip",
            }
        steps = len(self._widths) - 1
        return {
            "up_attention": "every",
            "resampling": self._resampling(self._down[:steps], "downsample_type"),
            "up_resampling": self._resampling(self._up[1:], "upsample_type"),
            "resample_shortcut": False,
        }

    def _resampling(self, kinds: list[str], setting: str) -> tuple[str, ...]:
        inside = [self._kinds[kind][1] for kind in kinds]
        default = self._config[setting] == "resnet"
        return tuple("block" if (default if has is None else has) else "layer" for has in inside)

    def _middle(self) -> str:
        if self._config["mid_block_type"] is None:
            return "none"
        return "attention" if self._config["add_attention"] else "blocks"

    def _middle_groups(self) -> int | None:
        """Groups before the middle attention, where the library has none with scale and shift."""
        own = self._config["attn_norm_num_groups"]
        if own is None and self._config["resnet_time_scale_shift"] == "scale_shift":
            return 0
        return own

    # ---- what the network does not do ----------------------------------------------------------

    def _unknown(self, config: Mapping[str, Any]) -> list[str]:
        kind = config.get("_class_name", "UNet2DModel")
        found = [] if kind == "UNet2DModel" else [f"it is a {kind}"]
        known = {*DEFAULTS, "image_size"}
        unknown = sorted(n for n in config if n not in known and not n.startswith("_"))
        return [*found, f"the settings {unknown} are unknown"] if unknown else found

    def _choices(self) -> list[str]:
        return [
            f"`{name}` must be {' or '.join(map(repr, allowed))}, received {self._config[name]!r}"
            for name, allowed in ALLOWED.items()
            if self._config[name] not in allowed
        ]

    def _levels(self) -> list[str]:
        if not len(self._widths) == len(self._down) == len(self._up):
            return ["`block_out_channels` and both lists of block types must be equally long"]
        found = [
            f"`down_block_types` must be {', '.join([*_PLAIN, *_SKIP])} (the last two in every "
            f"level or in none), received {kind}"
            for kind in sorted(set(self._down) - set(self._kinds))
        ]
        where = [self._kinds.get(kind, (None,))[0] for kind in self._down]
        mirrored = [self._kinds.get(kind, (None,))[0] for kind in self._up]
        if where != mirrored or not set(self._up) <= set(self._kinds):
            types = list(self._config["up_block_types"])
            found.append(
                f"`up_block_types` must attend where `down_block_types` do, received {types}"
            )
        return found

    def _plain_levels(self) -> list[str]:
        found = []
        if self._config["mid_block_scale_factor"] != 1:
            value = self._config["mid_block_scale_factor"]
            found.append(f"`mid_block_scale_factor` must be 1, received {value}")
        if self._config["norm_num_groups"] is None:
            found.append("`norm_num_groups` must be a number, received None")
        return found

    def _skip_levels(self) -> list[str]:
        found, config = [], self._config
        if not math.isclose(config["mid_block_scale_factor"], math.sqrt(2), rel_tol=1e-4):
            value = config["mid_block_scale_factor"]
            found.append(
                f"`mid_block_scale_factor` must be sqrt(2) in a network of skips, received {value}"
            )
        groups = {min(width // 4, 32) for width in (self._widths[0], self._widths[-1])}
        if config["norm_num_groups"] is not None and groups != {config["norm_num_groups"]}:
            found.append(
                f"`norm_num_groups` must be null in a network of skips, received "
                f"{config['norm_num_groups']}"
            )
        attending = zip(self._down, self._widths, strict=False)
        narrow = [w for kind, w in attending if kind == "AttnSkipDownBlock2D" and w < 4 * _GROUPS]
        if narrow:
            found.append(f"levels of AttnSkipDownBlock2D need 128 channels, received {narrow}")
        return found

    def _heads(self) -> list[str]:
        head = self._config["attention_head_dim"]
        levels = zip(self._down, self._widths, strict=False)
        widths = [w for kind, w in levels if self._kinds.get(kind, (False,))[0]]
        if self._middle() == "attention":
            widths.append(self._widths[-1])
        wrong = sorted({width for width in widths if head is not None and width % head})
        if not wrong:
            return []
        return [f"`attention_head_dim` must divide the channels {wrong}, received {head}"]

    def _classes(self) -> list[str]:
        config = self._config
        if config["class_embed_type"] != "timestep":
            return []
        if config["time_embedding_type"] == "fourier":
            return ["`class_embed_type` 'timestep' takes the logarithm of the class 0"]
        if not config["num_class_embeds"]:
            return ["`num_class_embeds` must tell how many classes there are"]
        if config["num_class_embeds"] > _MAX_CLASSES:
            return [f"`num_class_embeds` must be at most {_MAX_CLASSES}"]
        return []


def _short(kind: str) -> str:
    """The name of a kind of level without the prefix of old versions."""
    return kind.removeprefix("UNetRes")
