import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from gddim_tf import sdes, serving
from gddim_tf.data import to_uint8
from gddim_tf.samplers import DDIM
from tests.conftest import tiny_model

SIGNATURES = {"sample_4": (DDIM(), 4), "noisy_3": (DDIM(eta=1.0), 3)}


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    return serving.export(model, tmp_path_factory.mktemp("served") / "tiny", SIGNATURES)


def pairs(seed, count):
    return np.stack([np.full(count, seed), np.arange(count)], axis=1).astype(np.int32)


def test_layout_and_signatures(exported):
    assert exported.name == "1"
    loaded = tf.saved_model.load(str(exported))
    assert set(loaded.signatures) == {
        *SIGNATURES,
        *(
            "serving_default",
            "sample_png_4",
            "noisy_png_3",
            "sample",
            "encode",
            "decode",
            "denoise",
        ),
    }
    for name in SIGNATURES:
        signature = loaded.signatures[name]
        assert set(signature.structured_input_signature[1]) == {"seed"}
        assert signature.structured_outputs["image"].dtype == tf.uint8
        assert signature.structured_outputs["image"].shape.as_list() == [None, 8, 8, 1]


@pytest.mark.parametrize("name", SIGNATURES)
def test_images_equal_those_of_the_model(exported, model, name):
    sampler, nfe = SIGNATURES[name]
    served = tf.saved_model.load(str(exported)).signatures[name]
    images = served(seed=tf.constant(pairs(7, 5)))["image"].numpy()
    expected = np.asarray(to_uint8(model.sample(5, sampler, nfe=nfe, seed=7)))
    assert np.abs(images.astype(int) - expected.astype(int)).max() <= 1
    assert images.std() > 10


def test_a_seed_gives_its_image_in_any_batch(exported):
    served = tf.saved_model.load(str(exported)).signatures["noisy_3"]
    together = served(seed=tf.constant([3, 1, 4, 1]))["image"].numpy()
    alone = served(seed=tf.constant([[4, 0]]))["image"].numpy()
    assert np.abs(together[2].astype(int) - alone[0].astype(int)).max() <= 1
    np.testing.assert_array_equal(together[1], together[3])
    assert (together[0] != together[1]).any()


def test_a_model_with_classes_takes_label_and_guidance(conditional_model, tmp_path):
    path = serving.export(conditional_model, tmp_path / "classes", {"sample_3": (DDIM(), 3)})
    served = tf.saved_model.load(str(path)).signatures["sample_3"]
    labels = np.array([0, 5, 9], np.int32)
    for weight in (1.0, 2.5):
        answer = served(
            seed=tf.constant(pairs(0, 3)), label=tf.constant(labels), guidance=tf.fill([3], weight)
        )
        expected = conditional_model.sample(3, DDIM(), nfe=3, labels=labels, guidance=weight)
        gap = answer["image"].numpy().astype(int) - np.asarray(to_uint8(expected)).astype(int)
        assert np.abs(gap).max() <= 1
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"`label` must be in \[0, 10\], 10 for no class"
    ):
        served(seed=tf.constant([1]), label=tf.constant([11]), guidance=tf.constant([1.0]))


@pytest.mark.parametrize("sde", [sdes.CLD(), sdes.BDM(8)], ids=["cld", "bdm"])
def test_other_diffusions(sde, tmp_path):
    model = tiny_model(sde)
    path = serving.export(model, tmp_path / "m", {"sample_3": (DDIM(), 3)})
    again = serving.ServedModel(tmp_path / "m")
    assert again.path == path
    np.testing.assert_allclose(again.sample(3, nfe=5), model.sample(3, nfe=5), atol=1e-5)


def test_a_process_that_imports_only_tensorflow_runs_it(exported, tmp_path):
    code = (
        "import sys, numpy, tensorflow as tf\n"
        "served = tf.saved_model.load(sys.argv[1]).signatures['serving_default']\n"
        "numpy.save(sys.argv[2], served(seed=tf.range(2))['image'].numpy())\n"
        "sys.exit(any(name.startswith('gddim_tf') for name in sys.modules))\n"
    )
    command = [sys.executable, "-c", code, str(exported), str(tmp_path / "out.npy")]
    subprocess.run(command, check=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": ""})
    assert np.load(tmp_path / "out.npy").shape == (2, 8, 8, 1)


def test_versions_count_up_and_are_never_overwritten(model, tmp_path):
    signatures = {"sample_1": (DDIM(), 1)}
    assert serving.export(model, tmp_path, signatures).name == "1"
    assert serving.export(model, tmp_path, signatures, version=7).name == "7"
    assert serving.export(model, tmp_path, signatures).name == "8"
    with pytest.raises(ValueError, match=r"`version` must be positive and new .*, received 7"):
        serving.export(model, tmp_path, signatures, version=7)
    with pytest.raises(ValueError, match="`signatures` must name at least one"):
        serving.export(model, tmp_path, {})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "7", "8"]


def test_a_full_disk_leaves_the_previous_version(model, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small tmpfs needs root")
    try:
        first = serving.export(model, disk / "m", {"sample_1": (DDIM(), 1)})
        (disk / "filling").write_bytes(bytes(2**21 - _used(disk) - 200_000))
        before = sorted(str(path) for path in disk.rglob("*"))
        with pytest.raises(OSError, match=r"cannot write the model|No space left"):
            serving.export(model, disk / "m", {"sample_1": (DDIM(), 1)})
        assert sorted(str(path) for path in disk.rglob("*")) == before
        assert tf.saved_model.load(str(first)).signatures
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def _used(disk: pathlib.Path) -> int:
    state = os.statvfs(disk)
    return (state.f_blocks - state.f_bfree) * state.f_frsize


def test_what_is_not_an_export_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="`path` must be an exported model"):
        serving.ServedModel(tmp_path)
