"""Models of the hub, from its cache on this disk, and the cards that go there."""

import shutil

import numpy as np
import pytest

from gddim_tf import checkpoints
from gddim_tf.models import load, save
from gddim_tf.models.hub import from_hub
from tests.conftest import own_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty cache of the hub, which nobody can reach."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    def add(name):
        repository = tmp_path / "hub" / f"models--{name.replace('/', '--')}"
        (repository / "refs").mkdir(parents=True)
        (repository / "refs" / "main").write_text(COMMIT)
        (repository / "snapshots").mkdir()
        return repository / "snapshots" / COMMIT

    return add


def test_a_folder_with_a_card_is_saved_and_opened_from_the_hub(tmp_path, hub):
    model = own_model()
    folder = save(model, tmp_path / "mine")
    card = (folder / "README.md").read_text()
    assert "library_name: gddim_tf" in card
    assert model.fingerprint() in card
    (folder / "README.md").write_text("my own words")
    save(model, folder)
    assert (folder / "README.md").read_text() == "my own words"
    shutil.copytree(folder, hub("somebody/mine"))
    again = load("hf://somebody/mine")
    np.testing.assert_array_equal(again.sample(1, nfe=2), model.sample(1, nfe=2))
    assert repr(again).startswith("DiffusionModel(VPSDE(")


def test_published_weights_are_read_from_the_hub(hub):
    from tests.test_documentation import ROOT

    shutil.copytree(ROOT / "tests" / "golden" / "diffusers_digits", hub("somebody/digits"))
    assert checkpoints.load("hf://somebody/digits").image_shape == (8, 8, 1)


@pytest.mark.parametrize("name", ["hf://", "hf://mine", "hf://a/b/c", "hf://a/..", "hf://a/b@"])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(ValueError, match=r"must be hf://user/name"):
        from_hub(name)


def test_what_is_not_there_is_told(hub):
    with pytest.raises(FileNotFoundError, match="hf://no/such is neither on the hub nor in its"):
        load("hf://no/such")
