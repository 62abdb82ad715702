"""The local server under the package's own client, plain HTTP, and hostile bodies."""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading

import numpy as np
import pytest

from gddim_tf import cli, serving
from gddim_tf.models.served_model import ServedModel
from tests.serving.conftest import assert_same_images

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

from gddim_tf.serving.local_model import LocalModel
from gddim_tf.serving.local_server import LocalServer

LARGEST = 2**16
PREDICT = "/v1/models/shades:predict"


@pytest.fixture(scope="module")
def server(served):
    server = LocalServer(LocalModel(ServedModel(served.path)), port=0, largest_body=LARGEST)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield server
    server.stop()
    thread.join()


@pytest.fixture
def client(server):
    return serving.connect(server.address, "shades", "rest", wait=5.0)


def call(server, path, body=None, method=None):
    """Status and JSON of one call; a body may be text or anything that JSON can hold."""
    connection = http.client.HTTPConnection(server.address, timeout=30)
    text = body if isinstance(body, str | None) else json.dumps(body)
    connection.request(method or ("GET" if body is None else "POST"), path, text)
    answer = connection.getresponse()
    with contextlib.closing(connection):
        return answer.status, json.loads(answer.read())


def test_the_client_finds_signatures_and_images(client, served):
    signatures = client.signatures()
    assert {"sample_10", "sample_png_10", "sample", "encode", "decode", "denoise"} < set(signatures)
    assert signatures["encode"].inputs["image"] == (np.uint8, (-1, 8, 8, 1))
    assert signatures["sample"].inputs["seed"].shape is None
    for signature, nfe in (("sample_10", None), ("sample_png_10", None), ("sample", 10)):
        options = {"seed": 7, "labels": served.labels, "guidance": 2.0, "batch_size": 3}
        images = client.sample(4, signature, nfe=nfe, **options)
        assert_same_images(images, served.images("sample_10", 2.0))
    image = served.images("sample_50")
    state = client.predict("encode", image=image, seed=served.seeds, label=served.labels)["state"]
    ones = np.ones(4)
    again = client.predict("decode", state=state, label=served.labels, guidance=ones)["image"]
    assert np.abs(again.astype(int) - image.astype(int)).mean() < 8


def test_the_model_names_what_is_wrong_and_goes_on(client, served):
    with pytest.raises(ValueError, match=r"`label` must be in \[0, 3\], 3 for no class, received"):
        client.predict("sample_10", **served.inputs() | {"label": [0, 1, 2, 9]})
    with pytest.raises(ValueError, match=r"`label` must have shape \[batch\], with the batch of"):
        client.predict("sample_10", **served.inputs() | {"label": [0, 1]})
    images = client.predict("sample_10", **served.inputs())["image"]
    assert_same_images(images, served.images("sample_10"))


GREY = np.full((2, 8, 8, 1), 128, np.uint8)
KNOWN = np.ones((8, 8), np.uint8)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"strength": 0.5}, "`strength` must be one of 0.2, 0.4, 0.6, 0.8, the same in all rows"),
        ({"strength": [0.2, 0.4]}, "`strength` must be one of .*, the same in all rows"),
        ({"strength": [0.2]}, r"`strength` must be one number, received \[0.2\]"),
        ({"strength": 1.5}, "`strength` must be one of"),
        ({"strength": "half"}, "`strength` must be float32, received str"),
        ({"images": GREY / 255.0}, "`image` must be uint8, received float64"),
        ({"images": GREY[0]}, r"`images` must be uint8 \[count, .* of shape \(8, 8, 1\)"),
        ({"images": GREY[:0]}, r"`images` must be uint8 .* \(0, 8, 8, 1\)"),
        ({"images": "three.png"}, r"`images` must be uint8 .* shape \(\)"),
        ({"images": GREY[:, :7]}, r"`image` must have shape \[batch, 8, 8, 1\], received"),
        ({"images": GREY.repeat(3, -1)}, r"`image` must have shape \[batch, 8, 8, 1\]"),
        ({"labels": 9}, r"`label` must be in \[0, 3\], 3 for no class, received"),
        ({"labels": None}, "`labels` must be given, the model has classes"),
        ({"labels": [0, 1, 2]}, "`labels` must be one or 2, received"),
        ({"guidance": float("inf")}, "`guidance` must be finite"),
        ({"seed": 2**40}, "`seed` must be int32"),
        ({"batch_size": 0}, "`batch_size` must be at least 1, received 0"),
        ({"mask": KNOWN[:4]}, r"`mask` must be \(8, 8\) numbers, .* uint8 of shape \(4, 8\)"),
        ({"mask": "half.png"}, "`mask` must be .*, received str"),
        ({"mask": np.ones((3, 8, 8))}, r"`mask` must be .*, received float64 of shape \(3, 8, 8\)"),
    ],
    ids=lambda value: "" if isinstance(value, str) else "-".join(value),
)
def test_edits_name_what_is_wrong(client, arguments, message):
    asked = {"images": GREY, "labels": 0, **arguments}
    call = client.inpaint if "mask" in asked else client.edit
    with pytest.raises(ValueError, match=message):
        call(**asked if "mask" in asked else {"strength": 0.4, **asked})


def test_edits_that_ask_for_little_are_made(client):
    for mask in (KNOWN, KNOWN > 0, KNOWN * 0.5, np.repeat(KNOWN[None], 2, 0)):
        np.testing.assert_array_equal(client.inpaint(GREY, mask, labels=3), GREY)


def test_names_and_versions_that_are_not_there(server, served):
    assert serving.connect(server.address, "shades", "rest", version=1).signatures()
    for model, options in (("cats", {}), ("shades", {"version": 7})):
        other = serving.connect(server.address, model, "rest", wait=0.0, **options)
        with pytest.raises(ValueError, match=f"`model` must be one the server has, .*{model}"):
            other.signatures()


def test_rows_columns_and_paths(server, served):
    row = {"seed": [7, 1], "label": 1, "guidance": 1.0}
    body = {"signature_name": "sample_10", "instances": [row]}
    code, answer = call(server, PREDICT, body)
    assert (code, list(answer)) == (200, ["predictions"])
    assert_same_images(answer["predictions"], served.images("sample_10")[1:2])
    code, usual = call(server, "/v1/models/shades/versions/1:predict", {"instances": [row]})
    assert usual == answer  # `serving_default` is the first
    columns = {"seed": [[7, 1]], "label": [1], "guidance": [1.0]}
    body = {"signature_name": "sample_png_10", "inputs": columns}
    code, answer = call(server, PREDICT, body)
    assert (code, list(answer), list(answer["outputs"][0])) == (200, ["outputs"], ["b64"])
    status = {"error_code": "OK", "error_message": ""}
    state = {"version": "1", "state": "AVAILABLE", "status": status}
    for path in ("/v1/models/shades", "/v1/models/shades/versions/1"):
        assert call(server, path) == (200, {"model_version_status": [state]})
    code, answer = call(server, "/v1/models/shades/metadata")
    spec = {"name": "shades", "signature_name": "", "version": "1"}
    assert (code, answer["model_spec"]) == (200, spec)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{", "the body must be JSON"),
        ("[" * 60_000, "the body must be JSON"),
        ("[1]", 'either "inputs" or "instances"'),
        ({"inputs": {}, "instances": []}, 'either "inputs" or "instances"'),
        ({"inputs": {"seed": 1}, "signature_name": "paint"}, "`signature_name` must be one of"),
        ({"inputs": {"seed": 1}, "signature_name": ["a"]}, "`signature_name` must be one of"),
        ({"inputs": [1]}, "must be given by name"),
        ({"inputs": {"seed": [1]}}, "the signature takes guidance, label, seed"),
        ({"instances": 3}, "`instances` must be a list"),
        ({"instances": [1]}, "must be given by name"),
        ({"instances": []}, "`seed` must hold 1 to 1024 rows"),
        ({"instances": [{"seed": 1}, {"label": 1}]}, "the same names in all rows"),
        ({"inputs": {"seed": ["a" * 20_000] + [""] * 9000}}, "`seed` must hold numbers"),
        ({"inputs": {"seed": [[1], [1, 2]]}}, "`seed` must have rows of equal length"),
        ({"inputs": {"seed": [None]}}, "`seed` must hold numbers, received null"),
        ({"inputs": {"seed": [2**70], "label": [0], "guidance": [1]}}, "`seed` must be int32"),
        ({"inputs": {"seed": [1], "label": [0], "guidance": [1e999]}}, "`guidance` must be finite"),
    ],
)
def test_a_wrong_body_is_one_sentence(server, body, message):
    code, answer = call(server, PREDICT, body)
    assert code == 400
    assert message in answer["error"]
    assert len(answer["error"]) < 600 and "\n" not in answer["error"]


@pytest.mark.parametrize(
    ("path", "method", "body", "code"),
    [
        ("/v2", "GET", None, 404),
        ("/v1/models/shades/labels/stable", "GET", None, 400),
        ("/v1/models/shades:classify", "POST", "{}", 400),
        ("/v1/models/shades", "POST", "{}", 400),
        (PREDICT, "GET", None, 400),
        (PREDICT, "DELETE", None, 405),
        (PREDICT, "POST", "[" + "1," * LARGEST + "1]", 413),
    ],
)
def test_other_paths_and_too_long_bodies(server, path, method, body, code):
    answer = call(server, path, body, method)
    assert answer[0] == code and list(answer[1]) == ["error"]


def test_a_body_without_a_length_is_bounded_too(server):
    host, port = server.address.split(":")
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(head.encode() + 5 * chunk)
        assert connection.recv(65536).startswith(b"HTTP/1.1 413")


def test_the_command_ends_gracefully(served, tmp_path):
    command = [sys.executable, "-m", "gddim_tf.cli", "serve", "--model", str(served.path.parent)]
    root = pathlib.Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    options = {"cwd": tmp_path, "env": environment, "text": True, "stderr": subprocess.PIPE}
    with subprocess.Popen(
        [*command, "--port", "0", "--name", "mine"], stdout=subprocess.PIPE, **options
    ) as process:
        said = process.stdout.readline()
        address = said.split("http://")[1].split("/")[0]
        assert address.startswith("127.0.0.1:") and said.strip().endswith("/v1/models/mine")
        client = serving.connect(address, "mine", "rest")
        images = client.sample(4, "sample_10", seed=7, labels=served.labels)
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=60)
    assert_same_images(images, served.images("sample_10"))
    assert (process.returncode, rest.splitlines()[-1], errors) == (0, "ended", "")


def test_a_taken_port_and_a_wrong_model_are_one_sentence(served, server, tmp_path, capsys):
    port = server.address.split(":")[1]
    for options, message in (
        (["--model", str(served.path), "--port", port], f"received 127.0.0.1:{port}"),
        (["--model", str(served.path), "--port", "0", "--name", "a/b"], "`name` must have no"),
        (["--model", str(tmp_path)], "must be an exported model"),
        (["--model", str(served.path), "--port", "70000"], "`port` must be at most 65535"),
    ):
        assert cli.main(["serve", *options]) == 2
        printed = capsys.readouterr().err
        assert message in printed and printed.count("\n") == 1
