"""Flax files: what Flax wrote is read, the rest is skipped, damaged and hostile files refused."""

import struct
import tracemalloc

import msgpack
import numpy as np
import pytest

from gddim_tf.checkpoints import flax_file, read
from tests.checkpoints.goldens import FOLDER, flax_checkpoint

EXPECTED = np.load(FOLDER / "flax_msgpack_expected.npz")


def array(values, shape=None, dtype="float32"):
    """An array as Flax writes it, with any declared shape and dtype."""
    values = np.asarray(values, "float32")
    payload = msgpack.packb((shape or list(values.shape), dtype, values.tobytes()))
    return msgpack.ExtType(1, payload)


def write(path, saved):
    path.write_bytes(saved if isinstance(saved, bytes) else msgpack.packb(saved))
    return path


def test_every_array_kind_of_flax_is_read():
    found = flax_file.read(FOLDER / "flax_msgpack_scalars.msgpack")
    expected = {
        k.removeprefix("scalars/"): EXPECTED[k] for k in EXPECTED.files if k.startswith("scalars/")
    }
    assert found, found
    names = {
        "np_scalar": "float32",
        "zero_d": "int32",
        "empty": "float32",
        "f16": "float16",
        "i64": "int64",
        "bool": "bool",
        "u8": "uint8",
    }
    for name, dtype in names.items():
        assert found[name].dtype == dtype
        np.testing.assert_array_equal(found[name], expected[name])
    np.testing.assert_array_equal(found["bf16"], expected["bf16_as_f32"])


def test_containers_and_arrays_in_pieces_are_read():
    found = flax_file.read(FOLDER / "flax_msgpack_containers.msgpack")
    np.testing.assert_array_equal(found["big"], EXPECTED["big"])
    lists = {name: value for name, value in found.items() if name.startswith("seq/list")}
    for name, value in lists.items():
        np.testing.assert_array_equal(value, EXPECTED[name])
    assert len(lists) == 2


def test_the_rest_of_a_checkpoint_is_skipped(tmp_path):
    """The optimizer's arrays are nonsense, which only shows if they are decoded."""
    saved = {
        "step": array(3),
        "optimizer": {
            "target": {"Conv_0": {"kernel": array([5.0, 6.0])}},
            "state": {"Conv_0": msgpack.ExtType(77, b"nonsense")},
        },
        "params_ema": {"Conv_0": {"kernel": array([1.0, 2.0])}},
        "rng": msgpack.ExtType(78, b"nonsense"),
    }
    path = write(tmp_path / "checkpoint_1", saved)
    assert flax_file.read(path)["Conv_0/kernel"].tolist() == [1.0, 2.0]
    assert flax_file.read(path, ema=False)["Conv_0/kernel"].tolist() == [5.0, 6.0]


@pytest.mark.parametrize("place", [("params",), ()])
def test_other_places_of_parameters_are_found(tmp_path, place):
    saved = {"Conv_0": {"kernel": array([1.0, 2.0])}}
    for key in place:
        saved = {"before": {"x": array(1)}, key: saved}
    found = flax_file.read(write(tmp_path / "c", saved))
    assert {name: value.tolist() for name, value in found.items()} == {"Conv_0/kernel": [1.0, 2.0]}


@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
def test_truncated_checkpoints_are_refused(tmp_path, part):
    path, _, config = flax_checkpoint("flax_checkpoint_cld_modern", tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(ValueError, match="not a readable Flax checkpoint"):
        read(path, config=config)


KEY = b"\x81\xaaparams_ema"


@pytest.mark.parametrize(
    "content",
    [
        KEY + b"\xdd\xff\xff\xff\xff",  # an array of four billion entries
        KEY + b"\xdd\x00\x00\xff\xff" * 1000,  # nested arrays of 65535
        KEY + b"\xdf\xff\xff\xff\xff",  # a map of four billion
        KEY + b"\xc9\xff\xff\xff\xff\x01",  # an extension of 4 GB
        KEY + b"\xc6\xff\xff\xff\xff",  # bytes of 4 GB
        KEY + b"\xdb\xff\xff\xff\xff",  # text of 4 GB
        KEY + b"\x81\xa1a" * 2000,  # nested maps without end
        KEY + b"\xc1" * 8,  # a byte that msgpack never uses
        b"\xde\xff\xff\xa1a\xc0\xa1b\xc0\xa1c",
        b"\xdf\xff\xff\xff\xff\xa1a\xc0\xa1b\xc0",
    ],
)
def test_declared_sizes_are_not_believed(tmp_path, content):
    tracemalloc.start()
    with pytest.raises(ValueError, match="not a readable Flax checkpoint"):
        read(write(tmp_path / "bomb", content))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6


@pytest.mark.parametrize(
    ("leaf", "message"),
    [
        (array([1.0, 2.0], shape=[10**9, 10**9]), "holds 2 values"),
        (array([1.0, 2.0], shape=[-1]), "holds 2 values"),
        (array([1.0, 2.0], shape=[2.0]), "holds 2 values"),
        (array([1.0], dtype="object"), "unknown dtype 'object'"),
        (array([1.0], dtype="U1"), "unknown dtype 'U1'"),
        (array([1.0], dtype="float64"), "not a readable"),
        (msgpack.ExtType(9, b""), "unknown extension type 9"),
        (msgpack.ExtType(1, b"\xc0"), "not a readable"),
        (msgpack.ExtType(1, msgpack.packb(([1], 7, b"1234"))), "not a readable"),
        (msgpack.ExtType(1, b"\x93"), "not a readable"),
        (msgpack.ExtType(1, b"\xdd\xff\xff\xff\xff"), "not a readable"),
        ({"__msgpack_chunked_array__": True}, "not a readable"),
        ({"__msgpack_chunked_array__": True, "shape": {"0": 4}, "chunks": {}}, "not a readable"),
    ],
)
def test_arrays_that_contradict_themselves_are_refused(tmp_path, leaf, message):
    path = write(tmp_path / "c", {"params_ema": {"Conv_0": {"kernel": leaf}}})
    with pytest.raises(ValueError, match=message):
        read(path)


@pytest.mark.parametrize("saved", [{"params_ema": {}}, {"step": 3}, {"params_ema": 3}])
def test_files_without_parameters_are_refused(tmp_path, saved):
    with pytest.raises(ValueError, match="holds no parameters"):
        flax_file.read(write(tmp_path / "c", saved))


def test_a_checkpoint_that_does_not_fit_its_configuration_is_refused(tmp_path):
    path, _, config = flax_checkpoint("flax_checkpoint_cld_modern", tmp_path)
    model = {**config["model"], "num_res_blocks": 2}
    with pytest.raises(ValueError, match=r"does not fit the network; missing: .*of another shape"):
        read(path, config={**config, "model": model})
    model = {**config["model"], "normalization": "InstanceNorm"}
    with pytest.raises(ValueError, match="`normalization` must be 'GroupNorm'"):
        read(path, config={**config, "model": model})
    with pytest.raises(ValueError, match=r"must hold a valid 'image_channels'; pass `config`"):
        read(path)
    with pytest.raises(ValueError, match="6 input channels, which are not whole images of 4"):
        read(path, config={**config, "data": {"image_size": 8, "num_channels": 4}})


def test_bytes_declared_inside_an_array_are_not_believed(tmp_path):
    payload = msgpack.packb([[4], "float32"])[:-1] + b"float32"[-1:] + b"\xc6\xff\xff\xff\xff"
    payload = b"\x93" + payload[1:]
    content = KEY + b"\x81\xa1a" + b"\xc8" + struct.pack(">H", len(payload)) + b"\x01" + payload
    with pytest.raises(ValueError, match="not a readable Flax checkpoint"):
        read(write(tmp_path / "c", content))
