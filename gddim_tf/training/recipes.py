"""Published training runs by name, and those for digits and clothes."""

from __future__ import annotations

from typing import Any

from gddim_tf.choice import one_of
from gddim_tf.training.recipe import Recipe

# What DDPM, score_sde and gDDIM have in common on CIFAR-10: Adam with 2e-4 after 5,000 steps of
# warm-up, batches of 128, gradients clipped at norm 1, dropout 0.1 (in the presets), mirrored
# images, an average of decay 0.9999, the plain loss of eps.
_CIFAR10: dict[str, Any] = {
    "dataset": "cifar10",
    "prediction": "eps",
    "batch_size": 128,
    "learning_rate": 2e-4,
    "warmup": 5000,
    "decay": False,
    "ema": 0.9999,
    "clip": 1.0,
    "steps_per_epoch": 5000,
}

# Two hours on two CPU cores that compute in bfloat16.
_FASHION: dict[str, Any] = {
    "dataset": "fashion_mnist",
    "network": "ddpm_fashion",
    "conditional": True,
    "steps": 20_000,
    "learning_rate": 1.5e-3,
    "ema": 0.999,
    "precision": "mixed_bfloat16",
    "steps_per_epoch": 500,
}

RECIPES: dict[str, Recipe] = {
    "digits": Recipe(conditional=True),
    "fashion_vp": Recipe(**_FASHION, sde="vp"),
    "fashion_cld": Recipe(**_FASHION, sde="cld"),
    "fashion_bdm": Recipe(**_FASHION, sde="bdm"),
    # Ho et al. 2020, appendix B
    "ddpm_cifar10": Recipe(**_CIFAR10, sde="ddpm", network="ddpm_cifar10", steps=800_000),
    # Song et al. 2021, appendices G and H
    "ddpmpp_cifar10": Recipe(**_CIFAR10, sde="vp", network="ddpmpp_cifar10", steps=1_300_000),
    # Karras et al. 2022, table 1 and appendix F.2, without its augmentation: 200 million images of
    # which 10 million warm up, log-normal noise levels; "v" on this diffusion is EDM's output, and
    # the error of it is what its loss weight leaves
    "edm_cifar10": Recipe(
        **{
            **_CIFAR10,
            "prediction": "v",
            "batch_size": 512,
            "learning_rate": 1e-3,
            "warmup": 19_531,
            "ema": 0.99929,
        },
        sde="edm",
        data_std=0.5,
        network="ddpmpp_cifar10",
        dropout=0.13,
        steps=390_625,
    ),
    # Zhang et al. 2023, with the constants of its published configurations
    "gddim_cld_cifar10": Recipe(
        **_CIFAR10, sde="cld", network="ncsnpp_deep_cld_cifar10", steps=1_000_000
    ),
    "gddim_bdm_cifar10": Recipe(
        **_CIFAR10, sde="bdm", network="ncsnpp_deep_bdm_cifar10", steps=1_000_000
    ),
}


def named_recipe(name: str) -> Recipe:
    """A recipe by its name; `dataclasses.replace` changes what needs to be changed.

    Raises:
      ValueError: if there is no such recipe.
    """
    one_of("recipe", name, RECIPES)
    return RECIPES[name]
