import numpy as np
import pytest
import tensorflow as tf

from gddim_tf import sdes, serving
from gddim_tf.data import from_uint8, to_uint8
from gddim_tf.models.guidance import Guidance, Interval, Worse
from gddim_tf.numerics.image_noise import normal_per_image
from gddim_tf.samplers import DDIM, GDDIM, SSCS, run
from gddim_tf.serving.budgets import STRENGTHS
from tests.conftest import own_model
from tests.serving.conftest import BUDGETS, assert_same_images, labelled_model

pytestmark = pytest.mark.usefixtures("unoptimised_graphs")

# Of which fewer signatures are exported: none that encodes, decodes or edits.
NOISY = DDIM(eta=1.0)


def pairs(seed, count):
    return np.stack([np.full(count, seed), np.arange(count)], axis=1).astype(np.int32)


def signatures(path):
    return tf.saved_model.load(str(path)).signatures


def test_inputs_and_outputs_have_the_batch_first(served):
    assert served.path.name == "1"
    loaded = signatures(served.path)
    drawn = {*BUDGETS, "sample_png_10", "sample_png_50", "noisy_png_3", "sample", "serving_default"}
    assert set(loaded) == drawn | {"encode", "decode", "denoise"} | {
        "edit",
        "decode_from",
        "inpaint",
    }
    for name, signature in loaded.items():
        inputs = signature.structured_input_signature[1]
        if name in drawn:
            assert set(inputs) == {"seed", "label", "guidance"} | ({"nfe"} & set(inputs))
        assert ("nfe" in inputs) == (name == "sample")
        for spec in (*inputs.values(), *signature.structured_outputs.values()):
            assert spec.shape.rank is None or spec.shape[0] is None
    image = loaded["sample_10"].structured_outputs["image"]
    assert (image.dtype, image.shape.as_list()) == (tf.uint8, [None, 8, 8, 1])


def test_a_seed_gives_its_image_in_any_batch(served):
    noisy = signatures(served.path)["noisy_3"]
    label, guidance = tf.zeros([4], tf.int32), tf.ones([4])
    together = noisy(seed=tf.constant([3, 1, 4, 1]), label=label, guidance=guidance)["image"]
    alone = noisy(seed=tf.constant([[4, 0]]), label=label[:1], guidance=guidance[:1])["image"]
    assert_same_images(together[2:3], alone.numpy())
    np.testing.assert_array_equal(together[1], together[3])
    assert np.any(together[0] != together[1])


@pytest.mark.parametrize("sde", [sdes.CLD(), sdes.BDM(8)], ids=lambda sde: type(sde).__name__)
def test_edits_are_those_of_the_model(sde, tmp_path):
    model = own_model(sde)
    path = serving.export(model, tmp_path / "m", {"few": ("gddim(order=2)", 4)}, batch_sizes=[1])
    loaded, seed = signatures(path), tf.constant(pairs(7, 3))
    image = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1)).astype(np.uint8)
    for strength in STRENGTHS:
        edited = loaded["edit"](image=image, strength=tf.fill([3], strength), seed=seed)["image"]
        expected = model.edit(from_uint8(image), strength, GDDIM(order=2), nfe=4, seed=7)
        assert_same_images(edited, np.asarray(to_uint8(expected)))
    mask = np.zeros((3, 8, 8, 1), np.uint8)
    mask[:, :, :3] = 1
    inpainted = loaded["inpaint"](image=image, mask=mask, seed=seed)["image"]
    expected = model.inpaint(from_uint8(image), mask, nfe=4, seed=7)
    assert_same_images(inpainted, np.asarray(to_uint8(expected)))
    np.testing.assert_array_equal(inpainted[:, :, :3], image[:, :, :3])


@pytest.mark.parametrize(
    ("sampler", "budgets", "invertible"),
    [
        (GDDIM(order=3), (2, 6), True),  # the first is too short for the whole history
        (SSCS(), (2, 4), False),  # a start of its own for each budget
    ],
    ids=str,
)
def test_a_budget_chosen_at_run_time(sampler, budgets, invertible, tmp_path):
    model = own_model(sdes.CLD())
    path = serving.export(model, tmp_path / "m", {f"of_{nfe}": (sampler, nfe) for nfe in budgets})
    loaded = signatures(path)
    assert ({"encode", "decode"} < set(loaded)) == invertible
    for nfe in budgets:
        expected = np.asarray(to_uint8(model.sample(2, sampler, nfe, seed=7)))
        seed = tf.constant(pairs(7, 2))
        assert_same_images(loaded["sample"](seed=seed, nfe=tf.fill([2], nfe))["image"], expected)
        assert_same_images(loaded[f"of_{nfe}"](seed=seed)["image"], expected)
    if invertible:
        state = loaded["encode"](image=tf.constant(expected), seed=seed)["state"]
        images = from_uint8(expected)
        noise = normal_per_image(seed, (8, 8, 2))
        signal = tf.constant(model.sde.transition(model.sde.t_min, 0.0), tf.float32)
        start = model.sde.apply(signal, model.sde.to_state(images, noise))
        table = sampler.encode(model.sde, budgets[-1])
        np.testing.assert_allclose(state, run(table, model.eps, start), atol=2e-3)


def test_a_model_with_classes_takes_label_and_guidance(conditional_model, tmp_path):
    signature = {"sample_3": (NOISY, 3)}
    path = serving.export(conditional_model, tmp_path / "classes", signature)
    served = tf.saved_model.load(str(path)).signatures["sample_3"]
    labels = np.array([0, 5, 9], np.int32)
    for weight in (1.0, 2.5):
        answer = served(
            seed=tf.constant(pairs(0, 3)), label=tf.constant(labels), guidance=tf.fill([3], weight)
        )
        expected = conditional_model.sample(3, NOISY, nfe=3, labels=labels, guidance=weight)
        gap = answer["image"].numpy().astype(int) - np.asarray(to_uint8(expected)).astype(int)
        assert np.abs(gap).max() <= 1
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"`label` must be in \[0, 10\], 10 for no class"
    ):
        served(seed=tf.constant([1]), label=tf.constant([11]), guidance=tf.constant([1.0]))


def test_schedules_and_worse_models_are_exported(tmp_path):
    model, labels = labelled_model(), np.array([0, 1, 2], np.int32)
    options = {"schedule": Interval(0.3, 5.0), "rescale": 0.5, "by": Worse(own_model())}
    signature = {"sample_4": (NOISY, 4)}
    path = serving.export(model, tmp_path / "m", signature, guidance=Guidance(**options))
    served, images = signatures(path)["sample_4"], []
    for weight in (1.0, 3.0):
        answer = served(
            seed=tf.constant(pairs(0, 3)), label=tf.constant(labels), guidance=tf.fill([3], weight)
        )
        guidance = Guidance(weight, **options)
        expected = model.sample(3, NOISY, nfe=4, labels=labels, guidance=guidance)
        assert_same_images(answer["image"], np.asarray(to_uint8(expected)))
        images.append(expected)
    assert np.abs(images[0] - images[1]).max() > 0.01
    with pytest.raises(ValueError, match="`guidance` must be None for a model without classes"):
        serving.export(own_model(), tmp_path / "n", signature, guidance=Guidance())
    with pytest.raises(ValueError, match=r"`signatures` must name .*, received 4 for sample_4"):
        serving.export(own_model(), tmp_path / "n", {"sample_4": 4})


@pytest.mark.parametrize("sde", [sdes.CLD(), sdes.BDM(8)], ids=["cld", "bdm"])
def test_other_diffusions(sde, tmp_path):
    model = own_model(sde)
    path = serving.export(model, tmp_path / "m", {"sample_3": (DDIM(), 3)})
    again = serving.ServedModel(tmp_path / "m")
    assert again.folder == path
    assert again.path(2, DDIM(), 1).shape == (2, 2, 8, 8, 1)
    np.testing.assert_allclose(again.sample(3, nfe=5), model.sample(3, nfe=5), atol=1e-5)


def test_sampling_goes_beyond_the_largest_request(tmp_path):
    """`largest_batch` is for requests; guidance and large batches of `sample` are not."""
    model = labelled_model()
    serving.export(model, tmp_path / "m", {"s": (NOISY, 1)}, batch_sizes=[2], largest_batch=2)
    images = serving.ServedModel(tmp_path / "m").sample(3, DDIM(), 1, labels=1, guidance=2.0)
    expected = model.sample(3, DDIM(), 1, labels=1, guidance=2.0)
    np.testing.assert_allclose(images, expected, atol=1e-5)


def test_gradients_reach_through_an_exported_network(served):
    again = serving.ServedModel(served.path)
    state = tf.constant(served.state)
    gradients = []
    for model in (again, served.model):
        with tf.GradientTape() as tape:
            tape.watch(state)
            eps = model.eps(state, tf.fill([4], 0.5), tf.constant(served.labels))
        gradients.append(tape.gradient(eps, state))
    np.testing.assert_allclose(*gradients, atol=1e-5)


def test_what_is_not_an_export_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="`path` must be an exported model"):
        serving.ServedModel(tmp_path)
