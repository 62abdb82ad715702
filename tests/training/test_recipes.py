import dataclasses
import pathlib

import numpy as np
import pytest
from PIL import Image

from gddim_tf.training import RECIPES, AveragingAdam, Recipe, named_recipe


def test_published_recipes_have_the_published_numbers():
    """DDPM, appendix B; score_sde, appendix H; gDDIM's configurations."""
    parameters = {
        "ddpm_cifar10": (35_746_307, 800_000, "DiscreteVPSDE"),
        "ddpmpp_cifar10": (61_804_419, 1_300_000, "VPSDE"),
        "gddim_cld_cifar10": (107_597_318, 1_000_000, "CLD"),
        "gddim_bdm_cifar10": (107_586_947, 1_000_000, "BDM"),
    }
    clothes = {f"fashion_{sde}" for sde in ("vp", "cld", "bdm")}
    assert set(parameters) | {"digits", "edm_cifar10"} | clothes == set(RECIPES)
    for name, (_, steps, _) in parameters.items():
        recipe = named_recipe(name)
        assert (recipe.steps, recipe.batch_size, recipe.warmup) == (steps, 128, 5000)
        assert (recipe.ema, recipe.clip, recipe.prediction) == (0.9999, 1.0, "eps")
        schedule = recipe.schedule()
        rates = [float(schedule(step)) for step in (0, 2500, 5000, steps)]
        np.testing.assert_allclose(rates, [0, 1e-4, 2e-4, 2e-4], rtol=1e-6)


def test_the_recipe_of_edm():
    """EDM, table 1 and appendix F.2."""
    recipe = named_recipe("edm_cifar10")
    assert recipe.steps * recipe.batch_size == 200_000_000
    assert recipe.warmup * recipe.batch_size == pytest.approx(10_000_000, rel=1e-4)
    assert recipe.ema == pytest.approx(0.5 ** (512 / 500_000), abs=1e-6)
    assert (recipe.prediction, recipe.data_std, recipe.weighting) == ("v", 0.5, "target")


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in RECIPES if "cifar10" in name])
def test_published_recipes_make_the_published_networks(name):
    counts = {"ddpm_cifar10": 35_746_307, "ddpmpp_cifar10": 61_804_419, "edm_cifar10": 61_804_419}
    counts |= {"gddim_cld_cifar10": 107_597_318, "gddim_bdm_cifar10": 107_586_947}
    network = named_recipe(name).model().network
    trained = sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)
    assert trained == counts[name]


@pytest.mark.parametrize(("sde", "components"), [("vp", 1), ("cld", 2), ("bdm", 1)])
def test_clothes_are_learned_in_patches(sde, components):
    recipe = named_recipe(f"fashion_{sde}")
    clothes = pathlib.Path(__file__).parents[1] / "golden" / "fashion_mnist"
    model = dataclasses.replace(recipe, dataset=f"idx:{clothes}").model()
    assert (model.image_shape, model.num_classes) == ((28, 28, 1), 10)
    assert model.sde.components == model.network.components == components
    assert model.network.parts["conv_in"].kernel.shape == (3, 3, 4 * components, 48)
    assert 1.4e6 < model.network.count_params() < 1.5e6


def test_a_recipe_compiles_what_it_says():
    recipe = Recipe(
        network="ddpm_tiny",
        sde="cld",
        prediction="eps_cholesky",
        weighting="min_snr",
        precision="mixed_bfloat16",
        accumulate=2,
        clip=0.5,
        ema=0.9,
        label_dropout=0.3,
        conditional=True,
        seed=4,
    )
    model = recipe.model()
    assert (model.weighting, model.label_dropout, model.seed) == ("min_snr", 0.3, 4)
    assert model.network.out_channels == 2 and model.num_classes == 10
    assert model.network.dtype_policy.name == "mixed_bfloat16"
    optimizer = model.optimizer
    assert isinstance(optimizer, AveragingAdam)
    assert (optimizer.global_clipnorm, optimizer.gradient_accumulation_steps) == (0.5, 2)
    assert all(weight.dtype == "float32" for weight in model.trainable_weights)


def test_the_learning_rate_counts_updates():
    recipe = Recipe(steps=1000, accumulate=10, warmup=20, learning_rate=1.0)
    rates = [float(recipe.schedule()(update)) for update in (0, 10, 20, 60, 100)]
    np.testing.assert_allclose(rates, [0, 0.5, 1, 0.5, 0], atol=1e-6)


def test_bad_recipes_are_named():
    with pytest.raises(ValueError, match=r"`recipe` must be one of digits, .*, received 'cifar'"):
        named_recipe("cifar")
    for name in ("steps", "batch_size", "accumulate", "steps_per_epoch"):
        with pytest.raises(ValueError, match=f"`{name}` must be at least 1, received 0"):
            dataclasses.replace(Recipe(), **{name: 0})
    with pytest.raises(ValueError, match=r"`precision` must be one of .*, received float16"):
        Recipe(precision="float16")


def test_where_a_size_comes_from_that_does_not_suit_the_network(tmp_path):
    Image.new("L", (11, 24)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="received 11, the shortest side of the images of folder:"):
        Recipe(dataset=f"folder:{tmp_path}", network="ddpm_digits").model()
    with pytest.raises(ValueError, match=r"received 15$"):
        Recipe(dataset=f"folder:{tmp_path}", network="ddpm_digits", image_size=15).model()


def test_classes_are_not_asked_of_images_without(tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"`conditional` must be False for folder:.* no classes"):
        Recipe(dataset=f"folder:{tmp_path}", conditional=True).model()


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("learning_rate", -1.0, "`learning_rate` must be finite, above 0, received -1"),
        ("learning_rate", float("nan"), "`learning_rate` must be finite"),
        ("learning_rate", float("inf"), "`learning_rate` must be finite"),
        ("batch_size", 10**9, "`batch_size` must be at most 1048576, received 1000000000"),
        ("clip", -1.0, "`clip` must be finite, above 0"),
        ("warmup", -5, "`warmup` must be at least 0, received -5"),
        ("ema", 1.5, "`ema` must be"),
        ("label_dropout", float("nan"), "`label_dropout` must be"),
        ("dropout", 1.0, "`dropout` must be"),
        ("image_size", 10**6, "`image_size` must be at most 16384"),
        ("seed", -1, "`seed` must be at least 0"),
        ("steps", 0, "`steps` must be at least 1"),
    ],
)
def test_settings_that_cannot_be_meant(setting, value, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**{setting: value})


def test_settings_of_another_type():
    with pytest.raises(TypeError, match="`seed` must be a whole number, received 'abc'"):
        Recipe(seed="abc")
    with pytest.raises(TypeError, match="`learning_rate` must be a number, received '2'"):
        Recipe(learning_rate="2")
