import json

import pytest

from gddim_tf.cli.run_of_model import data_of, recipe_of


def test_the_data_of_the_run_are_the_default(tmp_path):
    (tmp_path / "recipe.json").write_text(json.dumps({"dataset": "folder:cats"}))
    for model in (tmp_path, tmp_path / "model.keras"):
        assert recipe_of(model) == {"dataset": "folder:cats"}
        assert data_of(model, None, (8, 8, 1)) == "folder:cats"
        assert data_of(model, "digits", (64, 64, 3)) == "digits"


def test_a_model_without_a_run(tmp_path):
    assert recipe_of(tmp_path / "model.keras") is None
    assert data_of(tmp_path, None, (8, 8, 1)) == "digits"
    with pytest.raises(ValueError, match=r"`data` must be named, since .* images are 64 x 64 x 3"):
        data_of(tmp_path, None, (64, 64, 3))


@pytest.mark.parametrize("text", ["", "[1]", "{", "[" * 100_000])
def test_a_damaged_recipe_is_named(tmp_path, text):
    (tmp_path / "recipe.json").write_text(text)
    with pytest.raises(ValueError, match=r"recipe\.json"):
        data_of(tmp_path, None, (8, 8, 1))
