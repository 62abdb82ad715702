"""Servers that say what they are told to say, over real sockets."""

import contextlib
import json
import socket
import socketserver
import threading
import time
from concurrent import futures

import grpc
from tensorflow_serving.apis import prediction_service_pb2_grpc

from gddim_tf import serving

SHAPE = {"dim": [{"size": size} for size in ("-1", "8", "8", "1")], "unknown_rank": False}
SEED = {"dtype": "DT_INT32", "tensor_shape": {"dim": [], "unknown_rank": True}}


def metadata(dtype="DT_UINT8", shape=SHAPE, output="image"):
    """The description of a model with one signature, as REST gives it."""
    signature = {
        "inputs": {"seed": SEED},
        "outputs": {output: {"dtype": dtype, "tensor_shape": shape}},
    }
    return {"metadata": {"signature_def": {"signature_def": {"serving_default": signature}}}}


def http(body, code="200 OK", *headers):
    """A whole answer of HTTP."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {code}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def outputs(value):
    """An answer to Predict."""
    return http({"outputs": value})


def connected(server, **options):
    """A client of a scripted server."""
    return serving.connect(server.address, "m", "rest", **{"deadline": 5, "wait": 0, **options})


class Scripted:
    """A server whose answers are given: bytes, or iterables of bytes and of seconds to wait.

    The n-th request gets the n-th answer, and all further ones the last.

    Attributes:
      address: of the server.
      requests: what arrived, up to the end of its headers.
      sent: how many bytes went out.
    """

    def __init__(self, *answers):
        self.requests, self.sent = [], 0
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                received = b""
                while b"\r\n\r\n" not in received and (part := self.request.recv(65536)):
                    received += part
                outer.requests.append(received)
                number = min(len(outer.requests), len(answers)) - 1
                script = (
                    [answers[number]] if isinstance(answers[number], bytes) else answers[number]
                )
                with contextlib.suppress(OSError):  # the client may hang up
                    for part in script:
                        if isinstance(part, bytes):
                            self.request.sendall(part)
                            outer.sent += len(part)
                        elif outer._stopped.wait(part):
                            return
                    # an answer without a length ends here
                    self.request.shutdown(socket.SHUT_WR)
                    self.request.recv(65536)

        self._stopped = threading.Event()
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class ScriptedPrediction(prediction_service_pb2_grpc.PredictionServiceServicer):
    """A gRPC server that gives one answer to Predict and one to GetModelMetadata."""

    def __init__(self, described, answer):
        self._described, self._answer = described, answer
        self._server = grpc.server(futures.ThreadPoolExecutor(2))
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(self, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def GetModelMetadata(self, request, context):
        return self._described

    def Predict(self, request, context):
        return self._answer

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *_):
        self._server.stop(None).wait()


def drip(data, pause):
    """One byte at a time."""
    for index in range(len(data)):
        yield data[index : index + 1]
        yield pause


def peak_kilobytes():
    """The most memory that this process ever had."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


@contextlib.contextmanager
def bounded(seconds):
    """Fail if the block takes many times longer than it may."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < seconds
