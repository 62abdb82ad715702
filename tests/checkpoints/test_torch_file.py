"""PyTorch files: what PyTorch wrote is read, everything else is refused and nothing is run."""

import io
import os
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from gddim_tf.checkpoints import read, torch_state
from gddim_tf.checkpoints.torch_file import TensorRecord, TorchFile
from tests.checkpoints.goldens import FOLDER


def archive(path, content, compression=zipfile.ZIP_STORED, **entries):
    """Write a zip file like PyTorch's around a pickle."""
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr("archive/data.pkl", content)
        for name, value in entries.items():
            file.writestr(f"archive/{name.replace('__', '/')}", value)
    return path


def test_every_kind_of_tensor_is_read():
    """The file was written by PyTorch 2.13."""
    tensors = torch_state.read(FOLDER / "torch_kinds.pt")
    base = np.arange(24, dtype="float32").reshape(4, 6)
    expected = {
        "f64": np.arange(3.0),
        "bf16": np.array([1.0, -2.5, 3.0040553e38], "float32"),
        "i64": np.arange(4),
        "bool": np.array([True, False]),
        "view": base[1:3, ::2],
        "transposed": base.T,
        "scalar": np.float32(2.5),
        "empty": np.zeros((0, 3), "float32"),
        "parameter": np.float32(np.arange(6) / 97 - 0.5).reshape(2, 3),
    }
    assert tensors.keys() == expected.keys()
    for name, value in expected.items():
        assert tensors[name].shape == value.shape, name
        np.testing.assert_allclose(tensors[name], value, rtol=1e-6, err_msg=name)


def test_a_module_state_with_metadata_is_read():
    assert torch_state.read(FOLDER / "torch_module.pt").keys() == {"weight", "bias"}


def test_the_average_of_score_sde_replaces_trained_tensors_in_order():
    """`shadow_params` has no names; the frequencies and the buffer have no average."""
    average = torch_state.read(FOLDER / "torch_score_sde.pth")
    raw = torch_state.read(FOLDER / "torch_score_sde.pth", ema=False)
    last = {name.removeprefix("module."): value.flat[0] for name, value in average.items()}
    assert last == {
        "sigmas": 1,
        "all_modules.0.W": 5,
        "all_modules.1.weight": 7,
        "all_modules.1.bias": 8,
        "all_modules.2.NIN_0.W": 9,
    }
    assert raw["module.all_modules.1.weight"].flat[0] == 1


def test_a_whole_module_is_refused():
    with pytest.raises(ValueError, match=r"wants to use `torch\.nn\.modules\.linear\.Linear`"):
        read(FOLDER / "torch_whole_module.pt")


def test_a_file_older_than_the_zip_format_is_refused():
    with pytest.raises(ValueError, match="is a bare pickle, which can run code: refused"):
        read(FOLDER / "torch_legacy.pt")


class Runs:
    """Pickled as a call."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    ("function", "name"),
    [(os.system, "system"), (eval, "eval"), (getattr, "getattr"), (os.mkdir, "mkdir")],
)
def test_code_is_never_run(tmp_path, function, name, protocol):
    target = tmp_path / "made"
    arguments = {
        "system": (f"touch {target}",),
        "eval": (f"__import__('os').mkdir({str(target)!r})",),
        "getattr": ("x", "upper"),
        "mkdir": (str(target),),
    }[name]
    content = pickle.dumps({"model": Runs(function, *arguments)}, protocol)
    path = archive(tmp_path / "attack.pt", content)
    with pytest.raises(ValueError, match=rf"wants to use `\w+\.{name}`.*refused"):
        read(path)
    assert not target.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"ctorch\nload\n(S'x'\ntR.",
        b"ctorch._utils\n_rebuild_parameter_with_state\n.",
        b"cnumpy.core.multiarray\n_reconstruct\n.",
        b"ccollections\nCounter\n.",
        b"cbuiltins\nbytearray\n(I1\ntR.",
        b"ccopyreg\n_reconstructor\n.",
        b"(S'x'\nios\nsystem\n.",
    ],
)
def test_only_a_handful_of_names_are_known(tmp_path, content):
    with pytest.raises(ValueError, match="which is not a tensor: refused"):
        read(archive(tmp_path / "a.pt", content))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b".",
        b"\x80\x02}q\x00(X\x01\x00\x00\x00a",  # truncated
        b"\x80\x02X\xff\xff\xff\x7fshort.",  # text that declares 2 GB
        b"\x8e\xff\xff\xff\xff\xff\xff\x00\x00short.",  # bytes that declare a petabyte
        b"\x80\x02}r\xff\xff\xff\x7f.",  # memo number 2**31 - 1
        b"\x80\x02}p2000000000\n.",  # the same as text
        b"\x82\x01.",  # an extension code
        b"\x80\x02ctorch\nFloatStorage\n)\x81.",  # an object made of a storage's name
        b"\x80\x02ctorch\nFloatStorage\n)R.",  # a call of it
        b"\x80\x02Q.",  # a persistent id from an empty stack
        b"\x80\x02I5\nQ.",  # a persistent id that is a number
        b"\x80\x02(((((((((.",
    ],
)
def test_damaged_pickles_are_refused_in_bounded_memory(tmp_path, content):
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"damaged pickle|not a tensor|holds no network"):
        read(archive(tmp_path / "a.pt", content))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6


def tensor_pickle(pid, offset, shape, strides):
    """Assemble the pickle of {"w": tensor} by hand, with any description."""

    def value(v):
        if isinstance(v, tuple):
            return b"(" + b"".join(map(value, v)) + b"t"
        if isinstance(v, str):
            return b"X" + struct.pack("<I", len(v)) + v.encode()
        if isinstance(v, float):
            return b"G" + struct.pack(">d", v)
        return b"I" + str(v).encode() + b"\n"

    kind, dtype, key = pid
    storage = b"(" + value(kind) + f"ctorch\n{dtype}\n".encode() + value(key)
    storage += value("cpu") + value(4) + b"tQ"
    arguments = b"(" + storage + value(offset) + value(shape) + value(strides) + b"I00\n}t"
    return b"\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n" + arguments + b"Rs."


FLOATS = np.arange(4, dtype="<f4").tobytes()
FLOAT = ("storage", "FloatStorage", "0")


def test_a_tensor_made_by_hand_is_read(tmp_path):
    path = archive(tmp_path / "a.pt", tensor_pickle(FLOAT, 1, (3,), (1,)), data__0=FLOATS)
    assert torch_state.read(path)["w"].tolist() == [1, 2, 3]
    with TorchFile(path) as file:
        assert file.objects() == {"w": TensorRecord("<f4", "0", 1, (3,), (1,))}


@pytest.mark.parametrize(
    ("pid", "offset", "shape", "strides", "message"),
    [
        (FLOAT, 2, (3,), (1,), "describes more than the bytes"),
        (FLOAT, 0, (2, 2), (4, 1), "describes more than the bytes"),
        (FLOAT, 0, (10**12,), (0,), "describes more than the bytes"),
        (FLOAT, 10**30, (1,), (1,), "describes more than the bytes"),
        (FLOAT, -1, (1,), (1,), "wrongly"),
        (FLOAT, 0, (-1,), (1,), "wrongly"),
        (FLOAT, 0, (2,), (-1,), "wrongly"),
        (FLOAT, 0, (2,), (1, 1), "wrongly"),
        (FLOAT, 0, (1.5,), (1,), "wrongly"),
        (FLOAT, 0, ("a",), (1,), "wrongly"),
        (FLOAT, 0, (((2,), (2,)),), (1,), "wrongly"),
        (("storage", "FloatStorage", "1"), 0, (1,), (1,), "lacks the bytes"),
        (("storage", "FloatStorage", "../../data.pkl"), 0, (1,), (1,), "lacks the bytes"),
        (("module", "FloatStorage", "0"), 0, (1,), (1,), "not a tensor: refused"),
        (("storage", "ComplexFloatStorage", "0"), 0, (1,), (1,), "not a tensor: refused"),
    ],
)
def test_descriptions_that_do_not_fit_the_bytes_are_refused(
    tmp_path, pid, offset, shape, strides, message
):
    path = archive(tmp_path / "a.pt", tensor_pickle(pid, offset, shape, strides), data__0=FLOATS)
    with pytest.raises(ValueError, match=message):
        torch_state.read(path)


@pytest.mark.parametrize("packed", [b"\0" * 10_000_000, os.urandom(10_000)], ids=["zeros", "noise"])
def test_packed_archives_are_refused(tmp_path, packed):
    """Ten kilobytes that unpack to ten megabytes, and what packing has not made smaller."""
    content = tensor_pickle(FLOAT, 0, (4,), (1,))
    path = archive(tmp_path / "a.pt", content, zipfile.ZIP_DEFLATED, data__0=packed)
    with pytest.raises(ValueError, match="its entries must not be packed"):
        read(path)


def test_tensors_that_share_a_storage_share_its_memory(tmp_path):
    """A thousand tensors of a storage of 4 MB."""
    with TorchFile(
        archive(tmp_path / "a.pt", tensor_pickle(FLOAT, 0, (4,), (1,)), data__0=b"\0" * 2**22)
    ) as file:
        tracemalloc.start()
        record = TensorRecord("<f4", "0", 0, (2**20,), (1,))
        tensors = [file.tensor(record) for _ in range(1000)]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert len(tensors) == 1000
    assert peak < 20e6


def test_damaged_archives_are_refused(tmp_path):
    good = (FOLDER / "torch_kinds.pt").read_bytes()
    (tmp_path / "a.pt").write_bytes(good[: len(good) // 2])
    with pytest.raises(ValueError, match="not a readable PyTorch file"):
        read(tmp_path / "a.pt")
    at = good.index(np.arange(3, dtype="<f8").tobytes())
    (tmp_path / "a.pt").write_bytes(good[:at] + b"\xff" * 24 + good[at + 24 :])
    with pytest.raises(ValueError, match="is damaged at data/"):
        torch_state.read(tmp_path / "a.pt")
    with pytest.raises(ValueError, match=r"exactly one data\.pkl"):
        with zipfile.ZipFile(tmp_path / "b.pt", "w") as file:
            file.writestr("hello", b"")
        read(tmp_path / "b.pt")
    path = archive(tmp_path / "c.pt", tensor_pickle(FLOAT, 0, (4,), (1,)), byteorder=b"big")
    with pytest.raises(ValueError, match="little-endian"):
        read(path)


def test_a_description_that_doubles_itself_is_refused(tmp_path):
    """Sixty nested pairs of one tuple: harmless as objects, endless as text."""
    content = tensor_pickle(FLOAT, 0, (1,), (1,))
    nested = b"(I1\nt" + b"2\x86" * 60  # DUP, TUPLE2
    content = content.replace(b"(I1\nt", nested, 1)
    with pytest.raises(ValueError, match="describes the tensor at data/0 wrongly"):
        torch_state.read(archive(tmp_path / "a.pt", content, data__0=FLOATS))


@pytest.mark.parametrize(
    "saved", [3, "text", [], {}, {"model": {}}, {"model": {"a": 1}}, [{}, 1, 2, 3, {}]]
)
def test_files_without_tensors_are_refused(tmp_path, saved):
    content = io.BytesIO()
    pickle.dump(saved, content, 2)
    with pytest.raises(ValueError, match="holds no network"):
        torch_state.read(archive(tmp_path / "a.pt", content.getvalue()))


def test_an_average_of_another_length_is_refused(tmp_path):
    """{"model": {"w": tensor}, "ema": {"shadow_params": []}} by hand."""
    tensor = tensor_pickle(FLOAT, 0, (4,), (1,))[2:-1]
    content = b"\x80\x02}X\x05\x00\x00\x00model" + tensor + b"s"
    content += b"X\x03\x00\x00\x00ema}X\x0d\x00\x00\x00shadow_params]ss."
    path = archive(tmp_path / "a.pt", content, data__0=FLOATS)
    with pytest.raises(ValueError, match="one tensor for each of 1 weights"):
        torch_state.read(path)
    assert torch_state.read(path, ema=False)["w"].tolist() == [0, 1, 2, 3]
