"""Named architectures: the published networks and small ones for 8x8 digits and 28x28 clothes."""

from __future__ import annotations

from typing import Any

_CIFAR10: dict[str, Any] = {"image_size": 32, "channels": 3}
_DIGITS: dict[str, Any] = {"image_size": 8, "channels": 1}

_DDPM: dict[str, Any] = {
    "base_channels": 128,
    "blocks_per_level": 2,
    "attention_resolutions": (16,),
    "up_attention": "every",
    "dropout": 0.1,
}
_DDPMPP: dict[str, Any] = {
    "base_channels": 128,
    "channel_multipliers": (1, 2, 2, 2),
    "blocks_per_level": 4,
    "attention_resolutions": (16,),
    "up_attention": "last",
    "dropout": 0.1,
    "resampling": "block",
    "skip_rescale": True,
}
_NCSNPP_DEEP: dict[str, Any] = {
    **_DDPMPP,
    "blocks_per_level": 8,
    "embedding": "fourier",
    "fir_kernel": (1, 3, 3, 1),
    "input_pyramid": "residual",
}
_SMALL: dict[str, Any] = {
    "base_channels": 24,
    "channel_multipliers": (1, 2),
    "blocks_per_level": 1,
    "attention_resolutions": (4,),
    "norm_groups": 8,
    "dropout": 0.0,
}

PRESETS: dict[str, dict[str, Any]] = {
    # Ho et al. 2020 (the U-Net of the DDPM and DDIM papers): 35.7M and 78.7M weights.
    "ddpm_cifar10": {**_CIFAR10, **_DDPM, "channel_multipliers": (1, 2, 2, 2)},
    "ddpm_celeba64": {
        "image_size": 64,
        "channels": 3,
        **_DDPM,
        "channel_multipliers": (1, 2, 2, 2, 4),
    },
    # Song et al. 2021: 61.8M weights; the second has the six channels of a Langevin diffusion.
    "ddpmpp_cifar10": {**_CIFAR10, **_DDPMPP},
    "ddpmpp_cld_cifar10": {**_CIFAR10, **_DDPMPP, "components": 2},
    # The networks of the gDDIM paper for Langevin and blurring diffusions: 107.6M weights.
    "ncsnpp_deep_cld_cifar10": {**_CIFAR10, **_NCSNPP_DEEP, "components": 2},
    "ncsnpp_deep_bdm_cifar10": {**_CIFAR10, **_NCSNPP_DEEP},
    # Small networks that train on two CPU cores.
    "ddpm_digits": {**_DIGITS, **_DDPM, **_SMALL},
    "ncsnpp_digits": {**_DIGITS, **_NCSNPP_DEEP, **_SMALL},
    # On patches of 2 x 2 pixels, so that 28 x 28 cost what 14 x 14 do: 1.46M weights.
    "ddpm_fashion": {
        "image_size": 28,
        "channels": 1,
        **_DDPM,
        **_SMALL,
        "patch_size": 2,
        "base_channels": 48,
        "attention_resolutions": (),
    },
    "ddpm_tiny": {**_DIGITS, **_DDPM, **_SMALL, "base_channels": 8},
}
