"""Only PNG files of the right size are opened, whatever a server sends."""

import base64
import io
import struct
import zlib

import pytest
from PIL import Image

from gddim_tf import serving
from tests.serving.scripted import Scripted, connected, http, metadata, outputs


def image_file(kind="PNG", size=(8, 8), mode="L", **options):
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind, **options)
    return file.getvalue()


def strings(*files):
    return outputs([{"b64": base64.b64encode(file).decode()} for file in files])


def eps_file():
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\nshowpage\n"


def huge_header():
    """A PNG file of 100 bytes that states 60,000 x 60,000 pixels."""
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + head
    return b"\x89PNG\r\n\x1a\n\0\0\0\r" + chunk + struct.pack(">I", zlib.crc32(chunk)) + bytes(67)


@pytest.mark.parametrize(
    "file",
    [
        eps_file(),
        image_file("JPEG"),
        image_file("TIFF"),
        image_file("GIF"),
        image_file("BMP"),
        image_file(size=(9, 8)),
        image_file(mode="RGB"),
        image_file(mode="P"),
        image_file(mode="I;16"),
        image_file()[:45],
        image_file()[:40] + bytes(100),
        huge_header(),
        b"",
    ],
)
def test_only_png_files_of_the_right_size_are_decoded(file):
    described = metadata(
        "DT_STRING", {"dim": [{"size": "-1"}], "unknown_rank": False}, "image_bytes"
    )
    definitions = described["metadata"]["signature_def"]["signature_def"]
    definitions["sample_10"] = metadata()["metadata"]["signature_def"]["signature_def"][
        "serving_default"
    ]
    with (
        Scripted(http(described), strings(image_file(), file)) as server,
        pytest.raises(serving.WrongAnswer, match=r"PNG file|images of \[8, 8, 1\]"),
    ):
        connected(server).sample(2)
    with Scripted(http(described), strings(image_file(), image_file())) as server:
        assert connected(server).sample(2).shape == (2, 8, 8, 1)


def test_strings_that_are_not_base64():
    described = metadata(
        "DT_STRING", {"dim": [{"size": "-1"}], "unknown_rank": False}, "image_bytes"
    )
    for item in ({"b64": "*"}, {"b64": 3}, {}, "text", None):
        with (
            Scripted(http(described), outputs([item, item])) as server,
            pytest.raises(serving.WrongAnswer),
        ):
            connected(server).sample(2)
