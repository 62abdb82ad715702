"""What a client does with a REST server that is broken, slow or malicious."""

import numpy as np
import pytest

from gddim_tf import serving
from tests.serving.scripted import (
    Scripted,
    bounded,
    connected,
    drip,
    http,
    metadata,
    outputs,
    peak_kilobytes,
)

GOOD = np.arange(128, dtype=np.uint8).reshape(2, 8, 8, 1)
DESCRIBED = http(metadata())


def test_a_good_answer_is_taken():
    with Scripted(DESCRIBED, outputs(GOOD.tolist())) as server:
        np.testing.assert_array_equal(connected(server).sample(2), GOOD)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"outputs": None},
        {"outputs": {}},
        {"outputs": GOOD[:1].tolist()},  # 1 image for 2
        {"outputs": np.zeros((5, 8, 8, 1), int).tolist()},  # 5 images for 2
        {"outputs": np.zeros((2, 8, 9, 1), int).tolist()},
        {"outputs": np.zeros((2, 8, 8), int).tolist()},
        {"outputs": np.full((2, 8, 8, 1), 1.7).tolist()},
        {"outputs": np.full((2, 8, 8, 1), 256).tolist()},
        {"outputs": np.full((2, 8, 8, 1), -1).tolist()},
        {"outputs": np.full((2, 8, 8, 1), "1").tolist()},
        {"outputs": np.full((2, 8, 8, 1), True).tolist()},
        {"outputs": [[[[2**70]]]]},
        {"outputs": [GOOD[0].tolist(), [1, 2]]},
        {"outputs": {"image": GOOD.tolist()}},
        {"outputs": "image"},
        {"predictions": GOOD.tolist()},
        [],
        "text",
        7,
        b"",
        b"<html>",
        b"\xff\xfe",
        b"[" * 20_000,
        b'{"outputs": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"outputs": [' + b"[]," * 6000 + b"[]]}",
        b'{"outputs": ' + b"9" * 5000 + b"}",
    ],
)
def test_an_answer_that_the_signature_does_not_have(answer):
    with Scripted(DESCRIBED, http(answer)) as server, pytest.raises(serving.WrongAnswer):
        connected(server).sample(2)


@pytest.mark.parametrize(
    "described",
    [
        {},
        [],
        {"metadata": None},
        {"metadata": {"signature_def": {"signature_def": {"a": {}}}}},
        metadata(dtype="DT_VARIANT"),
        metadata(dtype=3),
        metadata(shape={"dim": [{"size": "many"}], "unknown_rank": False}),
        metadata(shape={"dim": 3, "unknown_rank": False}),
        metadata(shape={}),
        b"[" * 20_000,
    ],
)
def test_a_description_that_is_none(described):
    with (
        Scripted(http(described)) as server,
        pytest.raises(serving.WrongAnswer, match="does not answer as TF Serving does"),
    ):
        connected(server).signatures()


def test_a_state_that_is_none():
    for state in ({}, {"model_version_status": [{}]}, {"model_version_status": 3}):
        with (
            Scripted(http({}, "404 Not Found"), http(state)) as server,
            pytest.raises(serving.WrongAnswer, match="does not answer as TF Serving does"),
        ):
            connected(server).signatures()


def test_the_deadline_holds_for_the_last_byte_of_the_answer():
    whole = http(metadata())
    for slow in (drip(whole, 0.05), [whole[:200], *drip(whole[200:], 0.05)], [30.0]):
        with Scripted(slow) as server, bounded(5.0), pytest.raises(TimeoutError, match="within 0"):
            connected(server, deadline=0.3).signatures()


def test_endless_headers_and_interim_answers():
    def forever(part):
        while True:
            yield part

    for part in (b"HTTP/1.1 100 Continue\r\n\r\n", b"X-More: and more\r\n"):
        with (
            Scripted(forever(part)) as server,
            bounded(10.0),
            pytest.raises((TimeoutError, serving.WrongAnswer)),
        ):
            connected(server, deadline=0.5).signatures()


def megabytes(count):
    piece = b" " * 2**20
    for _ in range(count):
        yield piece


@pytest.mark.parametrize("kind", ["length", "chunks", "open"])
@pytest.mark.parametrize("which", ["description", "images"])
def test_a_body_of_600_megabytes_costs_no_memory(kind, which):
    def body():
        head = {"length": "Content-Length: 629145600", "chunks": "Transfer-Encoding: chunked"}
        yield f"HTTP/1.1 200 OK\r\n{head.get(kind, 'X: y')}\r\n\r\n".encode()
        for piece in megabytes(600):
            if kind == "chunks":
                yield b"100000\r\n" + piece + b"\r\n"
            else:
                yield piece

    script = [body()] if which == "description" else [DESCRIBED, body()]
    with Scripted(*script) as server:
        before = peak_kilobytes()
        with pytest.raises(serving.WrongAnswer, match=r"longer than the .* bytes it may have"):
            connected(server, deadline=60).sample(2)
        assert peak_kilobytes() - before < 50_000
        assert server.sent < 50e6


def test_the_largest_answer_is_chosen():
    big = {"dim": [{"size": s} for s in ("-1", "64", "64", "3")], "unknown_rank": False}
    image = np.zeros((1, 64, 64, 3), np.uint8)
    with Scripted(http(metadata(shape=big)), outputs(image.tolist())) as server:
        assert connected(server).sample(1).shape == image.shape
    with (
        Scripted(http(metadata(shape=big)), outputs(image.tolist())) as server,
        pytest.raises(serving.WrongAnswer, match="longer than the 10000 bytes"),
    ):
        connected(server, largest_answer=10_000).sample(1)


def test_redirects_are_not_followed():
    with Scripted(DESCRIBED) as other:
        for code in ("301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"):
            where = f"Location: http://{other.address}/v1/models/m/metadata"
            with (
                Scripted(http(b"", code, where)) as server,
                pytest.raises(OSError, match=f"answered {code[:3]}"),
            ):
                connected(server).signatures()
        assert other.requests == []


def test_what_a_server_says_does_not_reach_the_terminal_as_it_is():
    message = "\x1b[2Jgone\r\n" + "long " * 1000
    with (
        Scripted(http({"error": message}, "500 Internal Server Error")) as server,
        pytest.raises(OSError, match="answered 500") as refused,
    ):
        connected(server).signatures()
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 700


def test_an_answer_that_stops_halfway():
    whole = http(metadata())
    for cut in (whole[:-10], b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nab"):
        with (
            Scripted(cut) as server,
            pytest.raises(serving.WrongAnswer, match="does not answer as the REST port"),
        ):
            connected(server).signatures()


def test_names_and_numbers_that_go_into_a_url():
    for version in ("../x", "1/../../x", 0, -1, 1.5, 2**63, True):
        with pytest.raises(ValueError, match="`version` must be a whole number from 1"):
            serving.connect("localhost:8501", "m", "rest", version=version)
    for model in ("", ".", ".."):
        with pytest.raises(ValueError, match="`model` must be the name of one"):
            serving.connect("localhost:8501", model, "rest")
    for address in ("a b:1", "user@host:1", "host:0", "host:65536", "host:1\r\nX: y", "h?:1", ":1"):
        with pytest.raises(ValueError, match="`address` must be host:port"):
            serving.connect(address, "m", "rest")
    assert serving.connect("[::1]:8501", "m", "rest").address == "[::1]:8501"
    with Scripted(DESCRIBED) as server:
        serving.connect(server.address, "../a b", "rest", version=3).signatures()
    assert server.requests[0].startswith(b"GET /v1/models/..%2Fa%20b/versions/3/metadata HTTP/1.1")


def test_options_that_are_out_of_range():
    for options, name in (
        ({"deadline": 0}, "deadline"),
        ({"deadline": float("nan")}, "deadline"),
        ({"wait": -1}, "wait"),
        ({"largest_answer": 0}, "largest_answer"),
    ):
        with pytest.raises(ValueError, match=f"`{name}` must be"):
            serving.connect("localhost:1", "m", "rest", **options)
