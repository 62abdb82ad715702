"""Names and shapes of all weights, known before anything is built."""

from __future__ import annotations

from gddim_tf.networks.architecture import Architecture
from gddim_tf.networks.layout import Part, layout

Shapes = dict[str, tuple[int, ...]]


def weight_shapes(architecture: Architecture) -> Shapes:
    """Return what `ScoreUNet.named_weights` will hold, as shapes.

    Nothing is allocated, so a file can be compared with an architecture before the network exists.

    Args:
      architecture: the hyperparameters.

    Returns:
      Shapes by name, such as {"conv_in.kernel": (3, 3, 3, 128), ...}.
    """
    shapes: Shapes = {}
    for part in layout(architecture):
        for path, shape in _part_shapes(part, architecture).items():
            shapes[f"{part.name}.{path}"] = shape
    return shapes


def _part_shapes(part: Part, architecture: Architecture) -> Shapes:
    width, out = part.width, part.out_width
    if part.kind == "fourier":
        return {"frequencies": (width,)}
    if part.kind == "labels":
        return {"embeddings": (width, out)}
    if part.kind == "dense":
        return _affine("", (width, out))
    if part.kind == "norm":
        return _norm("", width)
    if part.kind == "conv":
        return _affine("", (3, 3, width, out))
    if part.kind == "combine":
        return _affine("conv.", (1, 1, part.pyramid_width, width))
    if part.kind in ("downsample", "upsample"):
        return _affine("conv.", (3, 3, width, out)) if part.conv else {}
    if part.kind == "attention":
        shapes = _norm("norm.", width) if part.groups != 0 else {}
        for name in ("query", "key", "value", "proj"):
            shapes |= _affine(f"{name}.", (width, width))
        return shapes
    shift = 2 * out if architecture.time_scale_shift else out
    shapes = {
        **_norm("norm1.", width),
        **_affine("conv1.", (3, 3, width, out)),
        **_affine("temb_proj.", (architecture.embedding_width, shift)),
        **_norm("norm2.", out),
        **_affine("conv2.", (3, 3, out, out)),
    }
    return shapes | _affine("shortcut.", (1, 1, width, out)) if part.has_shortcut else shapes


def _affine(prefix: str, kernel: tuple[int, ...]) -> Shapes:
    return {f"{prefix}kernel": kernel, f"{prefix}bias": kernel[-1:]}


def _norm(prefix: str, width: int) -> Shapes:
    return {f"{prefix}scale": (width,), f"{prefix}bias": (width,)}
