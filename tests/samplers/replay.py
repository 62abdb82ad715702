"""What a table means, once more in plain NumPy: the reference of the compiled loop."""

import numpy as np

from gddim_tf.samplers import DynamicThreshold


def apply(matrix, state, mode_index):
    """`matrix @ state` for a state that packs its components along the last axis."""
    if mode_index is not None:
        matrix = matrix[mode_index]
    k = matrix.shape[-1]
    parts = np.stack(np.split(state, k, axis=-1), axis=-1)
    return np.concatenate(
        [(matrix[..., i, :] * parts).sum(-1) for i in range(k)],
        axis=-1,
    )


def replay(table, eps, u_T, noise=None):
    """The final state and the path, `eps` a function of NumPy arrays."""
    index = table.mode_index
    draws = iter(noise if noise is not None else ())
    if table.start is not None:
        u_T = apply(table.start[0], u_T, index) + apply(table.start[1], next(draws), index)
    committed = point = u_T
    kept, scratch, path = [], [], [u_T]
    for i, time in enumerate(table.time):
        own = output = eps(point, time)
        if table.data_state is not None:
            output = apply(table.data_state[i], point, index) + apply(
                table.data_eps[i], output, index
            )
            if table.clip is not None:
                channels = output.shape[-1] // table.components
                output[..., :channels] = _clipped(output[..., :channels], table.clip)
        (kept if table.keep[i] else scratch).insert(0, output)
        outputs = [
            *_slots(kept, table.history, u_T),
            *_slots(scratch, table.scratch, u_T),
        ]

        def combine(state, prediction, i=i, committed=committed, outputs=outputs):
            terms = [apply(m, o, index) for m, o in zip(prediction[i], outputs, strict=True)]
            return apply(state[i], committed, index) + sum(terms, np.zeros_like(u_T))

        point = ended = combine(table.state, table.prediction)
        if table.corrected_state is not None:
            ended = combine(table.corrected_state, table.corrected_prediction)
        if table.own is not None:
            fresh = apply(table.own[i], own, index)
            point, ended = point + fresh, ended + fresh
        if table.noise is not None:
            fresh = apply(table.noise[i], next(draws), index)
            point, ended = point + fresh, ended + fresh
        if table.commit[i]:
            committed = ended
        path.append(point)
    return committed, np.stack(path)


def _clipped(image, clip):
    if not isinstance(clip, DynamicThreshold):
        return image.clip(-clip, clip)
    axes = tuple(range(1, image.ndim))
    scale = np.quantile(np.abs(image), clip.ratio, axis=axes, keepdims=True)
    scale = scale.clip(1.0, clip.largest)
    return image.clip(-scale, scale) / scale


def _slots(outputs, count, like):
    return [*outputs[:count], *[np.zeros_like(like)] * (count - len(outputs))]
