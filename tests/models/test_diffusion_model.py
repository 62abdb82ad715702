import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from gddim_tf import sdes
from gddim_tf.data import to_uint8
from gddim_tf.models import DiffusionModel
from gddim_tf.models.opening import load
from gddim_tf.networks import ScoreUNet
from gddim_tf.samplers import DDIM, run
from tests.conftest import OwnNetwork, own_model

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")

ALL_SDES = [sdes.VPSDE(), sdes.make("ddpm", 8), sdes.VESDE(), sdes.CLD(), sdes.BDM(8)]


def images(count, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, 8, 8, 1)).astype("float32")


@pytest.mark.parametrize("sde", ALL_SDES, ids=lambda sde: type(sde).__name__)
def test_fit_lowers_the_loss_on_every_diffusion(sde):
    model = own_model(sde)
    model.compile(keras.optimizers.Adam(1e-2, use_ema=True, ema_momentum=0.9))
    batch = tf.data.Dataset.from_tensors(np.full((16, 8, 8, 1), 0.5, np.float32)).repeat()
    history = model.fit(batch, epochs=3, steps_per_epoch=40, verbose=0, shuffle=False)
    losses = history.history["loss"]
    assert losses[-1] < 0.9 * losses[0]


def test_the_step_is_traced_once():
    class Counting(OwnNetwork):
        traces = 0

        def call(self, *args, **kwargs):
            type(self).traces += 1
            return super().call(*args, **kwargs)

    model = DiffusionModel(Counting(), sdes.VPSDE(), "v")
    model.compile(keras.optimizers.Adam(1e-3, use_ema=True))
    batch = tf.data.Dataset.from_tensors(images(4)).repeat(3)
    model.fit(batch, epochs=2, verbose=0, shuffle=False)
    assert Counting.traces == 1


def test_loss_is_the_mean_squared_error_of_eps():
    sde = sdes.VPSDE()
    x = tf.constant(images(32))

    model = DiffusionModel(OwnNetwork(), sde)
    for weight in model.trainable_weights:
        weight.assign(tf.zeros_like(weight))
    # eps = 0 leaves the variance of the noise
    np.testing.assert_allclose(model.compute_loss(x).numpy(), 1.0, atol=0.1)
    model.network.out.bias.assign([2.0])
    np.testing.assert_allclose(model.compute_loss(x).numpy(), 5.0, atol=0.3)


@pytest.mark.parametrize("weighting", ["eps", "min_snr"])
@pytest.mark.parametrize("prediction", ["eps_cholesky", "x0", "v"])
def test_every_loss_goes_down_and_its_best_network_samples(weighting, prediction):
    sde = sdes.VPSDE()
    model = DiffusionModel(OwnNetwork(), sde, prediction, weighting=weighting)
    model.compile(keras.optimizers.Adam(1e-2))
    batch = tf.data.Dataset.from_tensors(np.full((16, 8, 8, 1), 0.5, np.float32)).repeat()
    # the same times and noise before and after: those of one epoch differ from the next one's, and
    # this error of "x0" has rare large values
    before = model.evaluate(batch, steps=20, verbose=0)
    model.fit(batch, epochs=2, steps_per_epoch=60, verbose=0, shuffle=False)
    assert model.evaluate(batch, steps=20, verbose=0) < 0.25 * before
    assert np.isfinite(model.sample(2, nfe=4)).all()


def test_a_step_draws_the_same_in_every_run():
    """What is random depends on the seed and the number of the step, not on the process."""
    x = tf.constant(images(8))
    model, again, other = own_model(), own_model(), own_model()
    other.seed = 1
    model._step.assign(5)
    again._step.assign(5)
    for weights in zip(model.weights, again.weights, other.weights, strict=True):
        for weight in weights[1:]:
            weight.assign(weights[0])
    assert model.compute_loss(x) == again.compute_loss(x)
    assert model.compute_loss(x) != other.compute_loss(x)
    again._step.assign(6)
    assert model.compute_loss(x) != again.compute_loss(x)


def test_fit_counts_steps_and_a_checkpoint_of_weights_keeps_the_count(tmp_path):
    model = own_model()
    model.compile(keras.optimizers.Adam())
    model.fit(tf.data.Dataset.from_tensors(images(8)).repeat(3), verbose=0, shuffle=False)
    assert int(model._step.value) == 3
    model.save_weights(tmp_path / "some.weights.h5")
    again = own_model()
    again.load_weights(tmp_path / "some.weights.h5")
    assert int(again._step.value) == 3


def test_after_fit_the_model_holds_the_averaged_weights():
    model = own_model()
    optimizer = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5)
    model.compile(optimizer)
    weight = model.network.out.bias
    seen = []
    record = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda b, logs: seen.append(np.array(weight))
    )
    model.fit(
        tf.data.Dataset.from_tensors(images(8)).repeat(4),
        verbose=0,
        callbacks=[record],
        shuffle=False,
    )
    average = seen[0]
    for value in seen[1:]:
        average = 0.5 * average + 0.5 * value
    np.testing.assert_allclose(weight, average, atol=1e-6)
    assert np.abs(weight - seen[-1]).max() > 1e-5


def test_evaluate_repeats_itself_and_training_does_not_touch_it():
    model = own_model()
    model.compile(keras.optimizers.Adam(0.0))
    data = tf.data.Dataset.from_tensor_slices(images(20)).batch(8)
    first = model.evaluate(data, verbose=0)
    model.fit(data, verbose=0, shuffle=False)
    assert model.evaluate(data, verbose=0) == first


@pytest.mark.slow
@pytest.mark.parametrize(("name", "gap", "levels"), [("vp", 2e-5, 2), ("cld", 1e-3, 40)])
def test_what_a_batch_changes_in_the_shipped_models(name, gap, levels):
    """The figures that docs/architecture.md gives, with some room for another machine."""
    shipped = load(pathlib.Path(__file__).parents[2] / "saved_models" / f"digits_{name}")
    labels = [i % 10 for i in range(64)]
    together = shipped.sample(64, nfe=10, labels=labels)
    for size in (1, 5, 17):
        apart = shipped.sample(64, nfe=10, labels=labels, batch_size=size)
        assert np.abs(apart - together).max() < gap
        grey = [np.asarray(to_uint8(images)).astype(int) for images in (apart, together)]
        assert np.abs(grey[0] - grey[1]).max() <= 1
        assert (grey[0] != grey[1]).sum() <= levels


def test_same_seed_same_image_whatever_the_batch_size(model):
    together = model.sample(7, nfe=5, seed=3)
    apart = model.sample(7, nfe=5, seed=3, batch_size=2)
    np.testing.assert_allclose(together, apart, atol=1e-4)
    later = model.sample(3, nfe=5, seed=3, first=4)
    np.testing.assert_allclose(together[4:], later, atol=1e-4)
    other = model.sample(7, nfe=5, seed=4)
    assert np.abs(together - other).max() > 0.1
    assert np.abs(together[0] - together[1]).max() > 0.1


def test_stochastic_noise_also_belongs_to_the_image(model):
    sampler = DDIM(eta=1.0)
    together = model.sample(5, sampler, nfe=4, seed=0)
    apart = model.sample(5, sampler, nfe=4, seed=0, batch_size=3)
    np.testing.assert_allclose(together, apart, atol=1e-4)


@pytest.mark.parametrize("nfe", [1, 2, 7])
def test_nfe_counts_the_calls_of_the_network(model, nfe):
    calls = tf.Variable(0)

    def counted(u, t):
        calls.assign_add(1)
        return model.eps(u, t)

    run(DDIM().table(model.sde, nfe), counted, tf.zeros([2, 8, 8, 1]))
    assert calls.numpy() == nfe


def test_keras_file_round_trip(tmp_path, conditional_model):
    path = tmp_path / "model.keras"
    conditional_model.save(path)
    again = keras.saving.load_model(path)
    assert type(again) is DiffusionModel
    for labels in (None, 3):
        np.testing.assert_array_equal(
            again.sample(3, nfe=3, labels=labels), conditional_model.sample(3, nfe=3, labels=labels)
        )


def test_guidance_weights(conditional_model):
    labels = np.array([0, 4, 9])
    plain = conditional_model.sample(3, nfe=3, labels=labels)
    one = conditional_model.sample(3, nfe=3, labels=labels, guidance=1.0)
    zero = conditional_model.sample(3, nfe=3, labels=labels, guidance=0.0)
    none = conditional_model.sample(3, nfe=3)
    np.testing.assert_allclose(one, plain, atol=1e-4)
    np.testing.assert_allclose(zero, none, atol=1e-4)
    assert np.abs(plain - none).max() > 1e-3


def test_encode_then_sample_gives_the_images_back(model):
    x = np.clip(images(4), -0.5, 0.5)
    noise = model.encode(x, nfe=60)
    again = run(DDIM().table(model.sde, 60), model.eps, noise)
    assert np.abs(model.sde.to_images(again).numpy() - x).mean() < 0.15


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((2, 8, 8, 1), np.uint8), "float in .-1, 1."),
        (np.zeros((2, 8, 8, 3), np.float32), r"\[batch, 8, 8, 1\], received \(.*8, 8, 3\)"),
        (np.full((2, 8, 8, 1), np.nan, np.float32), "must be finite"),
    ],
)
def test_bad_images_are_named(x, message):
    model = own_model()
    model.compile(keras.optimizers.Adam())
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=message):
        model.fit(tf.data.Dataset.from_tensors(x), verbose=0, shuffle=False)


def test_bad_arguments_are_named(model, conditional_model):
    with pytest.raises(ValueError, match="`network` must have components=2"):
        DiffusionModel(ScoreUNet.from_preset("ddpm_tiny"), sdes.CLD())
    with pytest.raises(ValueError, match="received one without image_size, channels, components"):
        DiffusionModel(keras.Sequential(), sdes.VPSDE())
    with pytest.raises(ValueError, match=r"`weighting` must be one of .*, received 'snr'"):
        DiffusionModel(model.network, model.sde, "v", weighting="snr")
    with pytest.raises(ValueError, match="`label_dropout` must be in"):
        DiffusionModel(model.network, model.sde, label_dropout=2.0)
    with pytest.raises(ValueError, match="`nfe` must be a whole number of at least 1, received 0"):
        model.sample(1, nfe=0)
    with pytest.raises(ValueError, match="`count` must be at least 1, received 0"):
        model.sample(0)
    with pytest.raises(ValueError, match="`labels` must be given with `guidance`"):
        model.sample(1, guidance=2.0)
    with pytest.raises(ValueError, match=r"`labels` must be in \[0, 10\]"):
        conditional_model.sample(1, labels=11)


def test_a_sampler_may_be_named(model):
    expected = model.sample(2, DDIM(), nfe=2)
    for sampler in ("ddim", "DDIM()", DDIM):
        np.testing.assert_array_equal(model.sample(2, sampler, nfe=2), expected)
    np.testing.assert_array_equal(model.sample(2, "default", nfe=2), model.sample(2, nfe=2))
    assert model.path(1, "ddim", nfe=2).shape[0] == 3
    clipped = np.clip(expected, -1, 1)
    np.testing.assert_array_equal(
        model.encode(clipped, "ddim", 2), model.encode(clipped, DDIM(), 2)
    )
    for wrong in ("ddimm", "ddim,gddim", 3, DDIM(eta=1).table):
        with pytest.raises(ValueError, match="`sampler`"):
            model.sample(1, wrong)
