import json
import socket
import sys

import numpy as np
import pytest

from benchmarks.load.c_session import CSession
from benchmarks.load.server import Server
from gddim_tf import cli, serving
from gddim_tf.data import to_uint8
from gddim_tf.serving.client import Signature, Spec
from tests.serving.conftest import assert_same_images

PROTOCOLS = ("grpc", "rest")
FOUR = ("seed", "nfe", "label", "guidance")


@pytest.fixture(scope="module")
def session(served):
    return CSession(served.path)


@pytest.fixture(scope="module")
def server(session):
    with Server(session, "shades") as running:
        yield running


@pytest.fixture(params=PROTOCOLS)
def client(server, request):
    return serving.connect(server.addresses[request.param], "shades", request.param, wait=0.0)


def free_address():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{holder.getsockname()[1]}"


def test_signatures_are_described(client, served):
    signatures = client.signatures()
    assert {"sample_10", "sample_png_10", "sample", "encode", "decode", "denoise"} < set(signatures)
    assert signatures["sample"].inputs["nfe"] == (np.int32, (-1,))
    assert signatures["sample"].inputs["seed"].shape is None
    assert signatures["encode"].inputs["image"] == (np.uint8, (-1, 8, 8, 1))


def test_images_are_those_of_the_model(client, served):
    options = {"seed": 7, "labels": served.labels, "batch_size": 3}
    for signature, nfe in (("sample_10", None), ("sample_png_10", None), ("sample", 10)):
        images = client.sample(4, signature, guidance=2.0, nfe=nfe, **options)
        assert images.dtype == np.uint8
        assert_same_images(images, served.images("sample_10", 2.0))
    later = client.sample(2, "noisy_3", seed=7, labels=served.labels[2:], first=2)
    assert_same_images(later, served.images("noisy_3")[2:])


def test_the_way_there_and_back(client, served):
    image = served.images("sample_50")
    state = client.predict("encode", image=image, seed=served.seeds, label=served.labels)["state"]
    ones = np.ones(4)
    again = client.predict("decode", state=state, label=served.labels, guidance=ones)["image"]
    assert np.abs(again.astype(int) - image.astype(int)).mean() < 8
    assert image.std() > 20


def test_edits_are_those_of_the_model(client, served):
    images, mask = served.images("sample_50"), np.zeros((8, 8), bool)
    mask[:4] = True
    options = {"seed": 7, "labels": served.labels, "guidance": 2.0}
    given = images / np.float32(127.5) - 1
    edited = client.edit(images, 0.4, **options, batch_size=3)
    expected = served.model.edit(given, 0.4, "ddim", nfe=50, **options)
    assert_same_images(edited, np.asarray(to_uint8(expected)))
    inpainted = client.inpaint(images, mask, **options)
    expected = served.model.inpaint(given, mask, nfe=50, **options)
    assert_same_images(inpainted, np.asarray(to_uint8(expected)))
    np.testing.assert_array_equal(inpainted[:, :4], images[:, :4])
    with pytest.raises(ValueError, match=r"`mask` must be \(8, 8\) numbers, or as many for each"):
        client.inpaint(images, mask[:4], **options)
    with pytest.raises(ValueError, match=r"`strength` must be one of 0.2, 0.4, 0.6, 0.8"):
        client.edit(images, 0.3, **options)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"label": [0, 1, 2, 9]}, r"`label` must be in \[0, 3\], 3 for no class, received \[0 1"),
        ({"label": [0.0, 1.0, 2.0, 2.0]}, "`label` must be int32, received float64"),
        ({"label": [2**40] * 4}, "`label` must be int32"),
        ({"label": [0, 1, 2]}, r"`label` must have shape \[batch\], with the batch of `seed`"),
        ({"label": [[0, 1, 2, 3]]}, r"`label` must have shape \[batch\], received \(1, 4\)"),
        ({"guidance": [np.nan] * 4}, "`guidance` must be finite"),
        ({"guidance": ["2"] * 4}, "`guidance` must be float32, received str"),
        ({"seed": np.zeros((4, 3), int)}, r"`seed` must have shape \[batch\] or \[batch, 2\]"),
        ({"seed": 3}, r"`seed` must have shape \[batch\] or \[batch, 2\]"),
        ({"nfe": [0] * 4}, r"`nfe` must be one of 3, 10, 50, the same in all rows, received \[0 0"),
        ({"nfe": [10**6] * 4}, "`nfe` must be one of 3, 10, 50"),
        ({"nfe": [10, 10, 50, 10]}, "`nfe` must be one of 3, 10, 50, the same in all rows"),
        ({"noise": [1.0] * 4}, "`noise`: the signature takes guidance, label, nfe, seed"),
        ({name: np.zeros(0, int) for name in FOUR}, None),
        ({name: np.zeros(10**5, int) for name in FOUR}, None),
    ],
)
def test_a_wrong_input_is_named_and_the_next_request_is_answered(client, served, changed, message):
    good = served.inputs(nfe=[10] * 4)
    with pytest.raises(ValueError, match=message or "`seed` must hold 1 to 1024 rows"):
        client.predict("sample", **{**good, **changed})
    assert_same_images(client.predict("sample", **good)["image"], served.images("sample_10"))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_it_waits_for_a_server_that_is_busy_or_loading(served, session, protocol):
    with Server(session, "shades", loading=2, busy=2) as server:
        patient = serving.connect(server.addresses[protocol], "shades", protocol)
        images = patient.sample(4, "sample_10", seed=7, labels=served.labels)
        assert_same_images(images, served.images("sample_10"))
    with Server(session, "shades", busy=1) as server:
        client = serving.connect(server.addresses[protocol], "shades", protocol, wait=0.0)
        with pytest.raises(serving.ServerUnavailable, match="queue is full"):
            client.signatures()
    with Server(session, "shades", loading=1) as server:
        client = serving.connect(server.addresses[protocol], "shades", protocol, wait=0.0)
        with pytest.raises(serving.ModelNotLoaded, match=r"not loaded yet \(LOADING\)"):
            client.signatures()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nobody_at_the_address(protocol):
    address = free_address()
    client = serving.connect(address, "shades", protocol, wait=0.3)
    with pytest.raises(serving.ServerUnavailable, match=f"no server answers at {address}"):
        client.signatures()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_server_that_never_answers(protocol):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        client = serving.connect(address, "shades", protocol, deadline=0.3, wait=0.0)
        with pytest.raises((TimeoutError, serving.ServerUnavailable), match=address):
            client.signatures()


def test_the_port_of_the_other_protocol(server):
    swapped = serving.connect(server.addresses["grpc"], "shades", "rest", wait=0.0)
    with pytest.raises(OSError, match="does not answer as the REST port of TF Serving"):
        swapped.signatures()
    swapped = serving.connect(server.addresses["rest"], "shades", "grpc", wait=0.0)
    with pytest.raises(serving.ServerUnavailable, match=r"no server answers .* protocol is rest"):
        swapped.signatures()


def test_names_that_the_server_does_not_have(server, client):
    with pytest.raises(ValueError, match=r"`signature` must be one of decode, .*received 'paint'"):
        client.predict("paint")
    for protocol in PROTOCOLS:
        other = serving.connect(server.addresses[protocol], "cats", protocol)
        with pytest.raises(ValueError, match="`model` must be one the server has, received 'cats'"):
            other.signatures()
    with pytest.raises(ValueError, match="`protocol` must be one of grpc, rest, received 'soap'"):
        serving.connect("localhost:1", "shades", "soap")
    with pytest.raises(ValueError, match="`address` must be host:port, received 'localhost'"):
        serving.connect("localhost", "shades")


class Changing(serving.Client):
    """A client in this process, of a server that loads a version with one more input each time."""

    loaded = 1

    def _call_metadata(self):
        inputs = {f"input_{i}": Spec(np.dtype("int32"), (-1,)) for i in range(self.loaded)}
        return {"serving_default": Signature(inputs, {})}

    def _call_predict(self, signature, inputs, outputs):
        if len(inputs) != self.loaded:
            raise ValueError("the inputs are those of another version")
        return inputs

    def _call_state(self):
        return []


def test_signatures_are_asked_anew_after_a_refusal():
    client = Changing("localhost:1", "shades")
    assert set(client.predict(input_0=[1])) == {"input_0"}
    client.loaded = 2
    with pytest.raises(ValueError, match="another version"):
        client.predict(input_0=[1])
    assert set(client.predict(input_0=[1], input_1=[2])) == {"input_0", "input_1"}
    client.loaded = 3
    with pytest.raises(ValueError, match="`input_2`: the signature takes input_0, input_1"):
        client.predict(input_0=[1], input_1=[2], input_2=[3])
    assert len(client.predict(input_0=[1], input_1=[2], input_2=[3])) == 3


def test_a_missing_version_is_named():
    error = Changing("localhost:1", "shades", version=7)._missing()
    assert "the server has, received 'shades' with `version` 7" in str(error)


def test_a_name_that_a_url_does_not_take(session):
    with Server(session, "two shades") as server:
        assert serving.connect(server.addresses["rest"], "two shades", "rest").signatures()


def test_a_client_closes_its_connection(server, served):
    for protocol in PROTOCOLS:
        with serving.connect(server.addresses[protocol], "shades", protocol) as client:
            assert client.signatures()
        if protocol == "grpc":
            with pytest.raises(ValueError, match="closed channel"):
                client.predict("sample_10", **served.inputs())


def test_rest_by_rows(server, served):
    """The other format of TF Serving's REST, as docs/serving.md shows it with curl."""
    import urllib.request

    row = {"seed": [7, 1], "label": 1, "guidance": 1.0}
    body = json.dumps({"signature_name": "sample_10", "instances": [row]}).encode()
    url = f"http://{server.addresses['rest']}/v1/models/shades:predict"
    with urllib.request.urlopen(urllib.request.Request(url, body)) as answer:
        images = json.load(answer)["predictions"]
    assert_same_images(images, served.images("sample_10")[1:2])


def test_the_command(server, served, tmp_path, capsys):
    picture, array = tmp_path / "p.png", tmp_path / "p.npy"
    options = ["--model", "shades", "--count", "4", "--seed", "7", "--out", str(picture)]
    address = ["client", "--address", server.addresses["rest"], "--protocol", "rest", *options]
    arguments = ["--labels", "0,1,2,3", "--signature", "sample_png_10", "--array", str(array)]
    assert cli.main([*address, *arguments]) == 0
    assert_same_images(np.load(array), served.images("sample_10"))
    assert picture.exists()
    capsys.readouterr()
    for labels, message in ((["--labels", "4"], "`label` must be in [0, 3]"), ([], "`labels`")):
        assert cli.main([*address, *labels]) == 2
        printed = capsys.readouterr().err
        assert message in printed
        assert printed.count("\n") == 1
    nobody = ["client", "--address", free_address(), *options, "--wait", "0"]
    assert cli.main(nobody) == 2
    assert "no server answers" in capsys.readouterr().err


def test_grpc_without_its_extra(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "tensorflow_serving")
    with pytest.raises(ImportError, match=r'gRPC needs pip install "gddim_tf\[serving\]"'):
        serving.connect("localhost:8500", "shades")
