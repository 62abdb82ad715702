"""TLS, tokens and metadata against real TLS servers of both protocols."""

import pathlib

import numpy as np
import pytest
import trustme

from benchmarks.load.c_session import CSession
from benchmarks.load.server import Server
from gddim_tf import cli, serving
from tests.serving.conftest import assert_same_images

PROTOCOLS = ("grpc", "rest")
TOKEN = "a-token.of=letters"


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(scope="module")
def server(served, authority):
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    with Server(CSession(served.path), "shades", certificate, token=TOKEN) as running:
        yield running


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_images_over_tls_with_a_token_and_metadata(server, served, ca_file, protocol):
    options = {"ca_file": ca_file, "token": TOKEN, "metadata": {"x-team": "shades and hues"}}
    with serving.connect(server.addresses[protocol], "shades", protocol, **options) as client:
        images = client.sample(4, "sample_png_10", seed=7, labels=served.labels)
    assert_same_images(images, served.images("sample_10"))
    received = server.model.metadata[-1]
    assert received["authorization"] == f"Bearer {TOKEN}"
    assert received["x-team"] == "shades and hues"
    assert TOKEN not in repr(client.access)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_server_of_another_authority_is_not_trusted(server, tmp_path, protocol):
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    for options in ({"ca_file": other}, {"tls": True}):
        client = serving.connect(server.addresses[protocol], "shades", protocol, wait=5, **options)
        before = len(server.model.metadata)
        with pytest.raises(OSError, match="is not to be trusted") as refused:
            client.signatures()
        assert not isinstance(refused.value, serving.ServerUnavailable)  # which is tried again
        assert len(server.model.metadata) == before


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_certificate_for_another_name(served, authority, ca_file, protocol):
    certificate = authority.issue_cert("elsewhere.example.org")
    with Server(CSession(served.path), "shades", certificate) as server:
        options = {"ca_file": ca_file, "wait": 0}
        client = serving.connect(server.addresses[protocol], "shades", protocol, **options)
        with pytest.raises(OSError, match="is not to be trusted"):
            client.signatures()
        assert not server.model.metadata


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_wrong_token_and_none(server, ca_file, protocol):
    for token in ("another", None):
        options = {"ca_file": ca_file, "token": token}
        client = serving.connect(server.addresses[protocol], "shades", protocol, **options)
        with pytest.raises(PermissionError, match="refuses this client: a token is missing"):
            client.signatures()


def test_tls_against_a_server_without(served, ca_file):
    with Server(CSession(served.path), "shades") as server:
        client = serving.connect(server.addresses["rest"], "shades", "rest", ca_file=ca_file)
        with pytest.raises(OSError, match="does not speak TLS"):
            client.signatures()


def test_what_cannot_be_sent(ca_file, tmp_path):
    with pytest.raises(ValueError, match=r"`token` must go over TLS to example\.org:8501"):
        serving.connect("example.org:8501", "m", "rest", token="secret")
    assert serving.connect("localhost:8501", "m", "rest", token="secret").access.headers()
    for token in ("two words", "line\nbreak", "", "ä"):
        with pytest.raises(ValueError, match="`token` must be printable ASCII") as refused:
            serving.Access(token=token)
        assert not token or token not in str(refused.value)
    for name in ("X-Team", "host", "authorization", "content-length", "grpc-timeout", "a-bin", ""):
        with pytest.raises(ValueError, match="`metadata` must have names"):
            serving.Access(metadata={name: "x"})
    for value in ("a\r\nb: c", "ä", " a", 3):
        with pytest.raises(ValueError, match="`metadata` must have values of printable ASCII"):
            serving.Access(metadata={"x-team": value})
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    with pytest.raises(ValueError, match=r"`ca_file` must hold PEM certificates, .*empty\.pem"):
        serving.Access(ca_file=empty)
    with pytest.raises(FileNotFoundError, match=r"none\.pem"):
        serving.Access(ca_file=tmp_path / "none.pem")


def test_the_command(server, served, ca_file, tmp_path, capsys):
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    array = tmp_path / "a.npy"
    command = ["client", "--protocol", "rest", "--address", server.addresses["rest"]]
    command += ["--model", "shades", "--signature", "sample_10", "--labels", "0,1,2,3"]
    command += ["--count", "4", "--seed", "7", "--out", str(tmp_path / "p.png")]
    command += ["--array", str(array), "--ca-file", str(ca_file)]
    metadata = ["--metadata", "x-team=hues", "--metadata", "x-more=a=b"]
    assert cli.main([*command, "--token-file", str(token), *metadata]) == 0
    assert_same_images(np.load(array), served.images("sample_10"))
    received = server.model.metadata[-1]
    assert (received["x-team"], received["x-more"]) == ("hues", "a=b")
    capsys.readouterr()
    for wrong, message in (
        ([], "refuses this client"),
        (["--token-file", str(tmp_path / "none")], "none"),
        (["--token-file", str(pathlib.Path("/dev/zero"))], "token"),
    ):
        assert cli.main([*command, *wrong]) == 2
        printed = capsys.readouterr().err
        assert message in printed
        assert printed.count("\n") == 1
    with pytest.raises(SystemExit):
        cli.main([*command, "--metadata", "x-team"])
