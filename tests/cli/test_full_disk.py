"""Every command that writes, on a disk without room: one sentence, exit code 2, nothing left."""

import os
import pathlib
import shutil

import pytest

from gddim_tf import models
from gddim_tf.atomic import DiskFullError
from gddim_tf.cli import main
from tests.conftest import own_model
from tests.test_fuzzed_files import statistics, table

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
PAGE = 4096

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a small disk must be mounted"),
    pytest.mark.usefixtures("unoptimised_graphs"),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return models.save(own_model(), tmp_path_factory.mktemp("model") / "model.keras")


# Each with the pages that are free: it may come far before there is no room.
SAMPLE = "sample --count 100 --nfe 1 --model MODEL"
COMMANDS = {
    "a picture": (f"{SAMPLE} --out DISK/a.png", (0, 2)),
    "an array": (f"{SAMPLE} --out OUT/a.png --array DISK/a.npy", (1,)),
    "an export": ("export --nfe 1 --batch-sizes 1 --model MODEL --out DISK/served", (0, 10, 40)),
    "an evaluation": (
        "evaluate --data digits --count 8 --nfe 1 --features random --model MODEL --out DISK/out",
        (0, 2),
    ),
    "a conversion": (f"convert {GOLDEN}/diffusers_digits --to DISK/a.keras", (2,)),
}


@pytest.mark.parametrize("what", COMMANDS)
def test_a_command_on_a_full_disk(small_disk, model, tmp_path, capsys, what):
    text, pages = COMMANDS[what]
    places = {"MODEL": model, "DISK": small_disk, "OUT": tmp_path}
    for name, place in places.items():
        text = text.replace(name, str(place))
    for free in pages:
        room = shutil.disk_usage(small_disk).free - free * PAGE
        (small_disk / "filler").write_bytes(bytes(room))
        assert main(text.split()) == 2
        told = capsys.readouterr().err
        assert "there is no room on the disk for" in told.splitlines()[-1]
        assert "Traceback" not in told
        left = [path for path in small_disk.rglob("*") if path.is_file()]
        assert left == [small_disk / "filler"]
        assert not list(small_disk.rglob(".*"))
        (small_disk / "filler").unlink()


@pytest.mark.parametrize("write", [statistics, table], ids=["statistics", "a tuned table"])
def test_a_file_on_a_full_disk(small_disk, write):
    (small_disk / "filler").write_bytes(bytes(shutil.disk_usage(small_disk).free))
    with pytest.raises(DiskFullError, match=r"there is no room on the disk for .*a\.npz"):
        write(small_disk / "a.npz")
    assert [path.name for path in small_disk.iterdir()] == ["filler"]
