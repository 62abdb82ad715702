"""The network: sizes, promises of its interface, Keras citizenship."""

import io
import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from gddim_tf.networks import (
    PRESETS,
    Architecture,
    ScoreUNet,
    downsample,
    positional_embedding,
    weight_shapes,
)

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")

RNG = np.random.default_rng(0)
TIME = np.array([0.7, 55.0, 999.0], "float32")


def small(preset="ncsnpp_digits", **options):
    """A small network of the preset's kind with weights that all matter."""
    defaults = {"base_channels": 8, "channel_multipliers": (1, 2), "norm_groups": 2, "dropout": 0.0}
    options = {**defaults, **options}
    network = ScoreUNet.from_preset(preset, **options)
    rng = np.random.default_rng(1)
    for weight in network.weights:
        weight.assign(weight + 0.1 * rng.standard_normal(weight.shape))
    return network


def state(network, batch=3):
    shape = (batch, network.image_size, network.image_size)
    shape += (network.components * network.channels,)
    return RNG.standard_normal(shape).astype("float32")


COUNTS = {
    "ddpm_cifar10": 35_746_307,
    "ddpm_celeba64": 78_700_803,
    "ddpmpp_cifar10": 61_804_419,
    "ddpmpp_cld_cifar10": 61_811_334,
    "ncsnpp_deep_cld_cifar10": 107_597_446,
    "ncsnpp_deep_bdm_cifar10": 107_587_075,
    "ddpm_digits": 395_641,
    "ncsnpp_digits": 424_921,
    "ddpm_fashion": 1_463_764,
    "ddpm_tiny": 44_969,
}


@pytest.mark.parametrize(("preset", "count"), COUNTS.items())
def test_parameter_counts(preset, count):
    """The large ones as published, the frequencies of a Fourier embedding included."""
    shapes = weight_shapes(Architecture(**PRESETS[preset]))
    assert sum(math.prod(shape) for shape in shapes.values()) == count


@pytest.mark.parametrize("preset", ["ddpm_cifar10", "ncsnpp_deep_cld_cifar10", "ncsnpp_digits"])
def test_built_networks_have_these_parameters(preset):
    """Fourier frequencies are weights, but not trained."""
    network = ScoreUNet.from_preset(preset)
    assert network.count_params() == COUNTS[preset]
    fixed = network.architecture.base_channels if "ncsnpp" in preset else 0
    assert sum(math.prod(w.shape) for w in network.non_trainable_weights) == fixed


def test_presets_are_listed_and_unknown_ones_refused():
    assert ScoreUNet.presets() == sorted(COUNTS)
    with pytest.raises(ValueError, match=r"`name` must be one of ddpm_celeba64, .*'nonsense'"):
        ScoreUNet.from_preset("nonsense")


def test_presets_take_overrides():
    network = ScoreUNet.from_preset(
        "ddpm_tiny", components=2, channels=3, image_size=16, num_classes=10, dropout=0.2
    )
    assert (network.image_size, network.channels, network.components) == (16, 3, 2)
    assert (network.num_classes, network.out_channels) == (10, 6)
    assert network.architecture.dropout == 0.2
    out = network(state(network), TIME, labels=np.array([0, 5, 10]))
    assert out.shape == (3, 16, 16, 6)


def test_all_weights_exist_after_the_constructor():
    network = small(num_classes=3)
    names = [variable.path for variable in network.weights]
    network(state(network), TIME, np.array([0, 1, 3]))
    network.build()
    assert [variable.path for variable in network.weights] == names


def test_the_new_network_predicts_almost_nothing():
    """The last convolution starts at (almost) zero."""
    for preset in ("ddpm_tiny", "ncsnpp_digits"):
        network = ScoreUNet.from_preset(preset)
        assert np.abs(network(state(network), TIME)).max() < 1e-3


@pytest.mark.parametrize("preset", ["ddpm_tiny", "ncsnpp_digits"])
def test_every_weight_matters_and_learns(preset):
    """All trainable weights get a gradient, except key biases: softmax does not see them."""
    network = small(preset, num_classes=2)
    with tf.GradientTape() as tape:
        out = network(state(network), TIME, np.array([0, 1, 2]))
        loss = tf.reduce_sum(tf.square(out))
    gradients = tape.gradient(loss, network.trainable_variables)
    for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
        magnitude = float(tf.reduce_max(tf.abs(gradient)))
        assert (magnitude > 1e-5) != variable.path.endswith("key/bias"), variable.path


def test_time_and_label_matter():
    network = small(num_classes=4)
    x = state(network)
    base = network(x, TIME, np.array([0, 0, 0]))
    assert np.abs(network(x, TIME[::-1].copy(), np.array([0, 0, 0])) - base)[0].max() > 1e-3
    assert np.abs(network(x, TIME, np.array([1, 0, 0])) - base)[0].max() > 1e-3


def test_no_labels_are_the_null_class():
    network = small(num_classes=4)
    x = state(network)
    null = network(x, TIME, labels=np.array([4, 4, 4]))
    np.testing.assert_array_equal(network(x, TIME), null)
    assert network.named_weights()["temb.labels.embeddings"].shape == (5, 32)


def test_images_of_a_batch_do_not_see_each_other():
    network = small()
    x = state(network)
    together = network(x, TIME)
    for i in range(3):
        np.testing.assert_allclose(
            network(x[i : i + 1], TIME[i : i + 1])[0], together[i], atol=1e-5
        )


def test_wrong_calls_are_refused():
    network = small(components=2)
    with pytest.raises(ValueError, match=r"`x` must have shape \(None, 8, 8, 2\), received \(3, 8"):
        network(np.zeros((3, 8, 8, 1), "float32"), TIME)
    with pytest.raises(ValueError, match=r"`x` must have shape .* received \(3, 16, 16, 2\)"):
        network(np.zeros((3, 16, 16, 2), "float32"), TIME)
    with pytest.raises(ValueError, match=r"`time` must have shape \(3,\), received \(2,\)"):
        network(state(network), TIME[:2])
    with pytest.raises(ValueError, match="`labels` need a network with `num_classes` > 0"):
        network(state(network), TIME, np.array([0, 0, 0]))
    with pytest.raises(ValueError, match="`image_size` must be divisible by 2"):
        ScoreUNet.from_preset("ddpm_tiny", image_size=9)
    with pytest.raises(TypeError, match=r"unknown options \['depth'\]"):
        ScoreUNet(8, 1, depth=3)


def test_a_network_of_uncentred_images_centres_them():
    x = RNG.uniform(0, 1, (3, 8, 8, 1)).astype("float32")
    centered, uncentered = small(centered=True), small(centered=False)
    uncentered.set_weights(centered.get_weights())
    np.testing.assert_allclose(uncentered(x, TIME), centered(2 * x - 1, TIME), atol=1e-5)


def test_scale_by_sigma_divides_by_the_label():
    plain, scaled = small(), small(scale_by_sigma=True)
    scaled.set_weights(plain.get_weights())
    x = state(plain)
    expected = plain(x, TIME) / TIME[:, None, None, None]
    np.testing.assert_allclose(scaled(x, TIME), expected, rtol=1e-5)


@pytest.mark.parametrize(("size", "patch"), [(8, 2), (12, 3)])
def test_patches_are_pixels_of_a_smaller_image(size, patch):
    """The same weights see the same numbers, cut into patches here by reshaping."""
    options = {"base_channels": 8, "channel_multipliers": (1, 2)}
    patched = small("ddpm_tiny", **options, image_size=size, components=2, patch_size=patch)
    width = 2 * patch**2
    plain = small("ddpm_tiny", **options, image_size=4, channels=width)
    assert set(plain.named_weights()) == set(patched.named_weights())
    for name, weight in patched.named_weights().items():
        plain.named_weights()[name].assign(weight)
    x = state(patched)
    patches = (
        x.reshape(3, 4, patch, 4, patch, 2).transpose(0, 1, 3, 2, 4, 5).reshape(3, 4, 4, width)
    )
    y = plain(patches, TIME).numpy()
    expected = y.reshape(3, 4, 4, patch, patch, 2).transpose(0, 1, 3, 2, 4, 5)
    np.testing.assert_allclose(patched(x, TIME), expected.reshape(x.shape), atol=1e-5)


def test_the_embedding_is_that_of_the_label():
    """Every block receives it activated."""
    network = small("ddpm_tiny", num_classes=2)
    parts = network.parts
    hidden = tf.nn.silu(parts["temb.dense_0"](positional_embedding(tf.constant(TIME), 8)))
    labels = np.array([0, 1, 2])
    expected = tf.nn.silu(parts["temb.dense_1"](hidden) + parts["temb.labels"](labels))
    seen = []
    record(parts["mid.block.0"], seen)
    network(state(network), TIME, labels)
    np.testing.assert_allclose(seen[0][1], expected, atol=1e-6)


def record(part, inputs):
    """Note the inputs of a layer on every call."""
    original = part.call
    part.call = lambda *args: inputs.append(args) or original(*args)


def test_a_skip_pyramid_is_the_input_at_every_level():
    """The features never enter it."""
    network = small(input_pyramid="skip", channel_multipliers=(1, 2, 2), pyramid_combine="cat")
    seen = []
    for level in range(2):
        record(network.parts[f"down.{level}.combine"], seen)
    x = state(network)
    network(x, TIME)
    kernel = network.architecture.fir_kernel
    half = downsample(tf.constant(x), kernel)
    np.testing.assert_allclose(seen[0][0], half, atol=1e-6)
    np.testing.assert_allclose(seen[1][0], downsample(half, kernel), atol=1e-6)


def test_a_residual_pyramid_carries_the_features():
    """The pyramid of the second level starts from what the first level's sum was."""
    network = small(channel_multipliers=(1, 2, 2))
    seen = []
    record(network.parts["down.1.input_pyramid"], seen)
    record(network.parts["down.1.block.0"], seen)
    network(state(network), TIME)
    block, pyramid = seen
    np.testing.assert_array_equal(block[0], pyramid[0])


@pytest.mark.parametrize("preset", ["ddpm_tiny", "ncsnpp_digits"])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_keras_round_trip(preset, policy, tmp_path):
    network = small(preset, num_classes=3, components=2, dtype=policy)
    json.dumps(network.get_config())
    network.save(tmp_path / "network.keras")
    copy = keras.saving.load_model(tmp_path / "network.keras")
    assert copy.architecture == network.architecture
    assert copy.dtype_policy.name == policy
    x = state(network)
    np.testing.assert_array_equal(copy(x, TIME), network(x, TIME))


def test_weights_can_be_saved_alone(tmp_path):
    network = small()
    network.save_weights(tmp_path / "n.weights.h5")
    copy = ScoreUNet.from_config(network.get_config())
    copy.load_weights(tmp_path / "n.weights.h5")
    for a, b in zip(network.weights, copy.weights, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("preset", ["ddpm_tiny", "ncsnpp_digits"])
def test_mixed_bfloat16_is_close_and_float32_where_it_matters(preset):
    full, mixed = small(preset), small(preset, dtype="mixed_bfloat16")
    mixed.set_weights(full.get_weights())
    x = state(full)
    expected, out = np.asarray(full(x, TIME)), mixed(x, TIME)
    assert out.dtype == tf.float32
    error = np.abs(np.asarray(out) - expected).max() / np.abs(expected).max()
    assert 1e-5 < error < 0.05  # above zero: bfloat16 was really used
    assert {variable.dtype for variable in mixed.weights} == {"float32"}
    for part in ("temb.dense_0", "temb.dense_1", "norm_out", "conv_out"):
        assert mixed.parts[part].compute_dtype == "float32", part
    assert mixed.parts["conv_in"].compute_dtype == "bfloat16"


def test_the_label_is_not_rounded_under_mixed_bfloat16():
    """In bfloat16 the labels 996 and 998 would be the same number."""
    network = small("ddpm_tiny", dtype="mixed_bfloat16")
    x = np.repeat(state(network, 1), 2, axis=0)
    a, b = np.asarray(network(x, np.array([996.0, 997.9], "float32")))
    assert np.abs(a - b).max() > 1e-3


@pytest.mark.parametrize("jit_compile", [False, True])
def test_one_graph_serves_every_batch_size(jit_compile):
    network = small("ncsnpp_digits", output_pyramid="residual", up_attention="every")
    signature = [tf.TensorSpec([None, 8, 8, 1]), tf.TensorSpec([None])]
    function = tf.function(network, input_signature=signature, jit_compile=jit_compile)
    for batch in (1, 3):
        x = state(network, batch)
        expected = network(x, TIME[:batch])
        np.testing.assert_allclose(function(x, TIME[:batch]), expected, atol=1e-4)
    assert function.experimental_get_tracing_count() == 1


def test_dropout_is_off_unless_training():
    network = small("ddpm_tiny", dropout=0.5)
    x = state(network)
    np.testing.assert_array_equal(network(x, TIME), network(x, TIME, training=False))
    assert np.abs(network(x, TIME, training=True) - network(x, TIME)).max() > 1e-3


def test_it_is_a_layer_of_a_functional_model():
    network = small(num_classes=2)
    inputs = [keras.Input((8, 8, 1)), keras.Input(()), keras.Input((), dtype="int32")]
    model = keras.Model(inputs, network(*inputs))
    x, labels = state(network), np.array([0, 1, 2])
    assert model.output_shape == (None, 8, 8, 1)
    np.testing.assert_allclose(model([x, TIME, labels]), network(x, TIME, labels), atol=1e-6)


def test_names_are_readable():
    network = small(num_classes=2)
    named = network.named_weights()
    assert {id(v) for v in named.values()} == {id(v) for v in network.weights}
    assert named["down.0.block.0.conv1.kernel"].shape == (3, 3, 8, 8)
    assert named["temb.fourier.frequencies"].shape == (8,)
    assert named["down.0.input_pyramid.conv.kernel"].shape == (3, 3, 1, 8)
    text = io.StringIO()
    network.summary(print_fn=lambda line: text.write(line + "\n"))
    for name in ("down_0_block_0", "mid_attn", "up_1_upsample", "conv_out"):
        assert name in text.getvalue()
    assert "(None, 4, 4, 16)" in text.getvalue()


def test_names_survive_an_outer_model():
    """Names come from the parts, not from where the network was built."""
    inner = small()

    class Outer(keras.Model):
        def __init__(self):
            super().__init__()
            self.network = ScoreUNet.from_config(inner.get_config())

    assert list(Outer().network.named_weights()) == list(inner.named_weights())


def test_it_learns_one_batch():
    keras.utils.set_random_seed(0)
    network = ScoreUNet.from_preset("ddpm_tiny", channel_multipliers=(1,), dropout=0.1)
    x = tf.constant(state(network, 8))
    time = tf.constant(RNG.uniform(1, 999, 8), tf.float32)
    target = tf.constant(np.sign(x) * 0.5)
    optimizer = keras.optimizers.Adam(3e-3)

    @tf.function(autograph=False)
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(network(x, time, training=True) - target))
        optimizer.apply(
            tape.gradient(loss, network.trainable_variables), network.trainable_variables
        )
        return loss

    first = float(step())
    for _ in range(40):
        last = float(step())
    assert last < 0.3 * first
