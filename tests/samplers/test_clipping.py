import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.samplers import DDIM, Ancestral, DPMSolver, DynamicThreshold, UniPC, run
from gddim_tf.samplers.clipping import dynamic_threshold
from gddim_tf.samplers.parse import parse
from gddim_tf.sdes import BDM, CLD, VPSDE
from tests.samplers.peers import peers
from tests.samplers.problems import golden
from tests.samplers.replay import replay

SAMPLERS = [
    DDIM(clip=1.0),
    DDIM(clip=0.7, clipped_eps=False, eta=0.3),
    DPMSolver(clip=1.0),
    UniPC(clip=1.0),
    Ancestral(clip=1.0),
]


@pytest.mark.parametrize("ratio", [0.0 + 1e-9, 0.3, 0.995, 1.0])
@pytest.mark.parametrize("largest", [None, 1.2])
def test_a_dynamic_threshold_is_a_quantile_of_each_image(ratio, largest):
    images = np.random.default_rng(0).standard_normal((3, 5, 4, 2)) * [[[[0.2]]], [[[1]]], [[[3]]]]
    result = dynamic_threshold(
        tf.constant(images), *DynamicThreshold(ratio, largest).column()
    ).numpy()
    for image, clipped in zip(images, result, strict=True):
        scale = np.clip(np.quantile(np.abs(image), ratio), 1.0, largest)
        np.testing.assert_allclose(clipped, image.clip(-scale, scale) / scale, rtol=1e-12)


def test_a_threshold_of_one_is_static_clipping():
    images = tf.constant(np.random.default_rng(0).standard_normal((2, 9)))
    clipped = dynamic_threshold(images, *DynamicThreshold(0.9, largest=1.0).column())
    np.testing.assert_array_equal(clipped, tf.clip_by_value(images, -1.0, 1.0))


def eps(u, t):
    return np.sin(3 * u)


def network(u, t):
    return tf.sin(3 * u)


@pytest.mark.parametrize("sde", [VPSDE(), CLD()], ids=["vp", "cld"])
@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
@pytest.mark.parametrize("clip", [0.4, DynamicThreshold(0.5), DynamicThreshold(0.9, 1.5)], ids=str)
def test_the_loop_clips_what_is_stored(sde, sampler, clip):
    if sde.components > 1 and getattr(sampler, "eta", 0):
        sampler = dataclasses.replace(sampler, eta=0.0)
    table = dataclasses.replace(sampler, clip=clip).table(sde, 4)
    rng = np.random.default_rng(0)
    start = 2 * rng.standard_normal((2, 3, 2 * sde.components))
    noise = rng.standard_normal((4, *start.shape))

    end = run(table, network, tf.constant(start), noise=noise).numpy()
    expected, _ = replay(table, eps, start, noise)
    np.testing.assert_allclose(end, expected, rtol=1e-10, atol=1e-12)
    free, _ = replay(dataclasses.replace(table, clip=None), eps, start, noise)
    assert np.abs(free - expected).max() > 1e-3


@pytest.mark.parametrize(
    ("name", "sampler", "noisy"),
    [
        ("ddim_clip_raw", DDIM(clip=1.0, clipped_eps=False), False),
        ("ddim_clip_raw_eta", DDIM(clip=1.0, clipped_eps=False, eta=0.5), True),
        ("ddim_threshold_raw", DDIM(clip=DynamicThreshold(0.7, 1.5), clipped_eps=False), False),
        ("ddim_threshold_clipped", DDIM(clip=DynamicThreshold(0.7, 1.5)), False),
        ("dpm_threshold", DPMSolver(clip=DynamicThreshold(0.7, 1.5)), False),
    ],
)
@pytest.mark.parametrize("steps", [5, 10, 20])
def test_against_published_runs(name, sampler, noisy, steps):
    z, problem = golden("peer_samplers"), peers("linear")
    times = [*(z[f"{name}_N{steps}_timesteps"] + 1.0), 0.0]
    draws = z["noise"] if noisy else None
    end = problem.run(problem.table(sampler, times), draws)
    expected = z[f"{name}_N{steps}"]
    np.testing.assert_allclose(end, expected, atol=1e-8 * np.abs(expected).max(), rtol=0)


def test_errors():
    with pytest.raises(ValueError, match=r"`ratio` must be in \(0, 1\], received 0"):
        DynamicThreshold(0)
    with pytest.raises(ValueError, match=r"`largest` must be at least 1, received 0.5"):
        DynamicThreshold(largest=0.5)
    with pytest.raises(ValueError, match="`clip` must be positive, received 0"):
        UniPC(clip=0)
    with pytest.raises(TypeError, match=r"`clip` must be a number or .*, received 'a'"):
        UniPC(clip="a")
    with pytest.raises(ValueError, match="`clip` must be None on BDM"):
        UniPC(clip=DynamicThreshold()).table(BDM(4), 3)


def test_a_threshold_from_text():
    expected = UniPC(clip=DynamicThreshold(0.99, largest=2.0))
    assert parse("unipc(clip=dynamic(0.99, largest=2.0))") == expected
    assert parse("unipc(clip=DynamicThreshold(ratio=0.99, largest=2.0))") == expected
