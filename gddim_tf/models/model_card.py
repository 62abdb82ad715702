"""The page that stands beside a model which is passed on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gddim_tf.models.diffusion_model import DiffusionModel

_CARD = """---
library_name: gddim_tf
tags:
- diffusion
- keras
- unconditional-image-generation
---

# {name}

A diffusion model for gddim_tf, in TensorFlow.

| | |
|---|---|
| images | {height}x{width}, {channels} channel{s} |
| classes | {classes} |
| diffusion | `{sde}` |
| prediction | `{prediction}` |
| weights | {weights:,}, fingerprint `{fingerprint}` |

```python
import gddim_tf as gd

model = gd.load("PATH")  # this folder, or hf://user/name
images = model.sample(16, nfe=20, seed=0{labels})
```

What it was trained on, for what it may be used, and how good its images are: please say so here.
"""


def model_card(model: DiffusionModel, name: str) -> str:
    """A page in the hub's form: what the model is, how it is used, and what its author must add.

    Args:
      model: any trained model.
      name: the title.
    """
    height, width, channels = model.image_shape
    named = f": {', '.join(model.class_names)}" if model.class_names else ""
    return _CARD.format(
        name=name,
        height=height,
        width=width,
        channels=channels,
        s="" if channels == 1 else "s",
        classes=f"{model.num_classes}{named}" if model.num_classes else "none",
        sde=model.sde,
        prediction=model.prediction,
        weights=model.network.count_params(),
        fingerprint=model.fingerprint(),
        labels=", labels=0" if model.num_classes else "",
    )
