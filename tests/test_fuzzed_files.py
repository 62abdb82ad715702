"""A hundred damaged versions of every kind of file: read, or refused by an error that names it."""

import dataclasses
import gzip
import io
import json
import pathlib
import random
import re
import struct
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save as as_safetensors

from gddim_tf import models
from gddim_tf.checkpoints import files, folder
from gddim_tf.data.idx_file import read_idx, read_idx_shape
from gddim_tf.data.image_file import decode
from gddim_tf.data.npz_file import open_npz
from gddim_tf.evaluation.report import Result
from gddim_tf.evaluation.statistics import ActivationStatistics, Provenance
from gddim_tf.models.description import read_description
from gddim_tf.reading import read_json
from gddim_tf.samplers import DDIM
from gddim_tf.samplers.tuning import file as tuned
from gddim_tf.sdes import VPSDE
from gddim_tf.sealed import read_seal, seal_path, write_seal
from tests.conftest import own_model

GOLDEN = pathlib.Path(__file__).parent / "golden"
MUTATIONS = 100
RNG = np.random.default_rng(0)
# Of what is read, all of it below 100 kB.
MOST_MEMORY = 150 * 2**20
# What a header says of a length, a shape or a count.
LIES = (b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\0\0\0\x40", b"\x40\0\0\0")
TEXTS = (b"99999999999", b"-1", b"1e999", b"[" * 500, b'{"a":' * 500, b"null", b"NaN", b'"')


def images(kind, mode="RGBA"):
    if mode == "I;16":
        pixels = Image.fromarray(RNG.integers(0, 2**16, (16, 16), dtype=np.uint16))
    else:
        pixels = Image.fromarray(RNG.integers(0, 255, (16, 16, 4), dtype=np.uint8)).convert(mode)
    pixels.save(stream := io.BytesIO(), kind)
    return stream.getvalue()


def arrays(save):
    numbers = np.arange(3)
    pixels = RNG.integers(0, 255, (3, 8, 8), dtype=np.uint8)
    names = np.array(["a", "b", "c"])
    save(stream := io.BytesIO(), x_train=pixels, y_train=numbers, class_names=names)
    return stream.getvalue()


def idx():
    return bytes((0, 0, 8, 3)) + struct.pack(">3I", 3, 8, 8) + bytes(range(192))


def statistics(path):
    gathered = ActivationStatistics(4)
    gathered.update(RNG.normal(size=(9, 4)))
    gathered.save(path, Provenance("digits", "train", 9, "random", "none"))


def table(path):
    sde = VPSDE()
    made = DDIM().table(sde, 3)
    tuned.write(path, tuned.Fitted(made, *tuned.kernel_at(sde, made.time), {"sde": "VPSDE"}))


def sealed(path):
    content = path.with_suffix(".bin")
    content.write_bytes(b"content")
    write_seal(content, {"epoch": 3}, content)


def described(path):
    sde = {"module": "gddim_tf.sdes", "class_name": "VPSDE", "config": VPSDE().get_config()}
    sde["registered_name"] = "gddim_tf>VPSDE"
    told = {"sde": sde, "image_shape": [8, 8, 1], "num_classes": 2, "class_names": ["a", "b"]}
    path.write_text(json.dumps(told))


def result(path):
    told = Result(sampler="DDIM", arguments="", nfe=3, spent=3, count=9, measures={"frechet": 1.5})
    path.write_text(told.json())


@dataclasses.dataclass
class Kind:
    """A kind of file.

    Attributes:
      name: of the file.
      make: its contents, or what writes it.
      read: its reader.
      count: of mutations.
    """

    name: str
    make: bytes | Callable[[pathlib.Path], object]
    read: Callable[[pathlib.Path], object]
    count: int = MUTATIONS


def index(path):
    shard = "diffusion_pytorch_model-00001-of-00002.safetensors"
    (path.parent / shard).touch()
    path.write_text(json.dumps({"weight_map": {"a": shard}}))


KINDS = {
    "idx": Kind("a-idx3-ubyte", idx(), lambda path: read_idx(path, 3)),
    "idx_gz": Kind("a-idx3-ubyte.gz", gzip.compress(idx()), lambda path: read_idx(path, 3)),
    "idx_shape": Kind("a.gz", gzip.compress(idx()), lambda path: read_idx_shape(path, 3)),
    "npz": Kind("a.npz", arrays(np.savez), open_npz),
    "npz_packed": Kind("a.npz", arrays(np.savez_compressed), open_npz),
    **{
        f"{kind}_{mode}".lower(): Kind(
            "a.png", images(kind, mode), lambda path: decode(path, (8, 8), 3, "white")
        )
        for kind, mode in (
            ("PNG", "RGBA"),
            ("PNG", "P"),
            ("PNG", "I;16"),
            ("JPEG", "RGB"),
            ("WEBP", "RGBA"),
            ("BMP", "RGB"),
        )
    },
    **{
        name.rpartition(".")[2]: Kind(name, (GOLDEN / name).read_bytes(), files.read)
        for name in ("torch_score_sde.pth", "torch_module.pt", "flax_msgpack_containers.msgpack")
    },
    "safetensors": Kind(
        "a.safetensors", as_safetensors({"conv.weight": np.zeros((3, 4), np.float32)}), files.read
    ),
    "config": Kind(
        "config.json",
        json.dumps({"a": [1, 2.5], "b": {}}).encode(),
        lambda path: read_json(path, "settings"),
    ),
    "index": Kind(
        "diffusion_pytorch_model.safetensors.index.json",
        index,
        lambda path: folder._shards(path),
    ),
    "statistics": Kind("a.npz", statistics, ActivationStatistics.load),
    "tuned": Kind("nfe_3.npz", table, tuned.read),
    "result": Kind("a.json", result, Result.read),
    "description": Kind("gddim_tf.json", described, read_description),
    "seal": Kind("a.json", sealed, lambda path: read_seal(path.with_suffix(".bin"))),
    "keras": Kind("a.keras", lambda path: models.save(own_model(), path), models.load, 30),
}


def damaged(content, rng):
    """One of six damages: cut, flipped bits, a lie, a text in place of a digit, a hole, junk."""
    place = rng.randrange(len(content))
    early = rng.randrange(min(len(content), 600))
    how = rng.randrange(6)
    if how == 0:
        return content[:place]
    if how == 1:
        changed = bytearray(content)
        for _ in range(rng.choice((1, 30))):
            changed[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        return bytes(changed)
    if how == 2:
        return content[:early] + rng.choice(LIES) + content[early + 4 :]
    if how == 3:
        digits = [match.start() for match in re.finditer(rb"\d", content[:2000])] or [early]
        start = rng.choice(digits)
        return content[:start] + rng.choice(TEXTS) + content[start + 1 :]
    if how == 4:
        return content[:place] + content[place + rng.randrange(1, 100) :]
    return content[: early % 64] + rng.randbytes(rng.randrange(64))


def high_water():
    told = pathlib.Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", told)[1])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", KINDS)
def test_a_damaged_file_is_read_or_refused_by_its_name(tmp_path, name):
    kind, rng = KINDS[name], random.Random(name)
    path = tmp_path / kind.name
    if isinstance(kind.make, bytes):
        path.write_bytes(kind.make)
    else:
        kind.make(path)
    content = path.read_bytes()
    kind.read(path)
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # brings it down to what is used
    before, refused = high_water(), 0
    for _ in range(kind.count):
        path.write_bytes(damaged(content, rng))
        try:
            kind.read(path)
        except (ValueError, OSError) as error:
            names = (path.name, seal_path(path).stem)
            assert any(name in str(error) for name in names), f"{error!r} does not name the file"
            refused += 1
    assert refused > kind.count / 10
    assert high_water() - before < MOST_MEMORY
