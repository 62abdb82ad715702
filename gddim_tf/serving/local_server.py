"""A small REST server for trying a model out, on Uvicorn and Starlette.

It speaks TF Serving's REST paths and JSON, so that what works with it works with TF Serving. It is
one process without batching, versions that change, TLS or tokens: TF Serving is for all of that.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gddim_tf.checks import whole
from gddim_tf.serving.local_model import LocalModel
from gddim_tf.serving.rest_json import read_request, write_answer

LARGEST_BODY = 16 * 2**20

_NAME = r"[^/:]+"
_PATH = re.compile(rf"({_NAME})(?:/versions/([0-9]{{1,19}}))?(/metadata|:predict)?")
# Calls that compute at a time; each has all cores.
_AT_A_TIME = 2
# Connections; what they send, at most `LARGEST_BODY` each, is all in memory.
_CONNECTIONS = 32
# Seconds for the last byte of a body, and for calls that run when the server is to end.
_SLOWEST_BODY, _LAST_CALLS = 30, 10


class LocalServer:
    """A model behind TF Serving's REST paths at an address of this machine.

    - `GET /v1/models/NAME[/versions/V]`: the state of the model;
    - `GET /v1/models/NAME[/versions/V]/metadata`: its signatures;
    - `POST /v1/models/NAME[/versions/V]:predict`: calls one, by columns (`inputs`) or rows
      (`instances`).

    Args:
      model: to serve.
      name: in the paths; the model's own by default.
      host: to listen at. Anyone who can reach the address can use the model.
      port: of the host; 0 for a free one.
      largest_body: bytes that a request may have.

    Attributes:
      address: `host:port`.

    Raises:
      ValueError: if the name has a slash or a colon, or a number is out of its range.
      OSError: if the port is taken, or the host is none of this machine.

    Examples:
      LocalServer(LocalModel(gd.load("saved_models/digits_vp")), port=8501).run()
    """

    def __init__(
        self,
        model: LocalModel,
        name: str | None = None,
        host: str = "127.0.0.1",
        port: int = 8501,
        largest_body: int = LARGEST_BODY,
    ) -> None:
        self.model, self.name = model, name or model.name
        if not re.fullmatch(_NAME, self.name):
            raise ValueError(f"`name` must have no slash and no colon, received {self.name!r}")
        whole("port", port, 0, 65535)
        self._largest = whole("largest_body", largest_body, 1)
        self._turns = asyncio.Semaphore(_AT_A_TIME)
        self._socket = _listening(host, port)
        shown = f"[{host}]" if ":" in host else host
        self.address = f"{shown}:{self._socket.getsockname()[1]}"
        app = Starlette(
            routes=[
                Route("/v1/models/{path:path}", self._get, methods=["GET"]),
                Route("/v1/models/{path:path}", self._post, methods=["POST"]),
            ],
            exception_handlers={HTTPException: _refusal},
        )
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                limit_concurrency=_CONNECTIONS,
                timeout_graceful_shutdown=_LAST_CALLS,
                ws="none",
                lifespan="off",
                server_header=False,
            )
        )

    def run(self) -> None:
        """Serve until SIGINT, SIGTERM or `stop`; calls that run are answered first."""
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Let `run`, in another thread, end."""
        self._server.should_exit = True

    # ---- what is asked --------------------------------------------------------------------------

    async def _get(self, request: Request) -> Response:
        action = self._action(request)
        if action == ":predict":
            raise HTTPException(400, f"{action} must be asked by POST, received GET")
        version = str(self.model.version)
        if action == "/metadata":
            spec = {"name": self.name, "signature_name": "", "version": version}
            definitions = {"signature_def": {"signature_def": self.model.definitions}}
            return _json({"model_spec": spec, "metadata": definitions})
        status = {"error_code": "OK", "error_message": ""}
        state = {"version": version, "state": "AVAILABLE", "status": status}
        return _json({"model_version_status": [state]})

    async def _post(self, request: Request) -> Response:
        if self._action(request) != ":predict":
            raise HTTPException(400, "the path must end in :predict, received POST to another")
        body = await _body(request, self._largest)
        async with self._turns:
            return await run_in_threadpool(self._answer, body)

    def _action(self, request: Request) -> str:
        """What is asked of the model, if it is this one."""
        path = request.path_params["path"]
        found = _PATH.fullmatch(path)
        if not found:
            raise HTTPException(400, f"Malformed request: {request.method} /v1/models/{path:.200}")
        name, version, action = found.groups()
        if name != self.name or (version and int(version) != self.model.version):
            asked = f"{name:.200}" + (f" version {version}" if version else "")
            raise HTTPException(
                404,
                f"Servable not found for request: {asked}; {self.name} is the model here, in "
                f"version {self.model.version}",
            )
        return action or ""

    def _answer(self, body: bytes) -> Response:
        try:
            asked = read_request(body, self.model.signatures)
            outputs = self.model.predict(asked.signature, asked.inputs)
        except ValueError as error:
            return _json({"error": str(error)}, 400)
        except RuntimeError as error:
            return _json({"error": str(error)}, 500)
        return _json(write_answer(outputs, asked.by_row))


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise OSError(
            f"`host` and `port` must be free and of this machine, received {host}:{port}: {error}"
        ) from error


async def _body(request: Request, largest: int) -> bytes:
    """All of it, if it is not too long and not too slow."""
    told, body = request.headers.get("content-length", "0"), bytearray()
    try:
        async with asyncio.timeout(_SLOWEST_BODY):
            if int(told) <= largest:
                async for piece in request.stream():
                    body += piece
                    if len(body) > largest:
                        break
    except TimeoutError:
        raise HTTPException(408, f"the body must arrive in {_SLOWEST_BODY} seconds") from None
    if max(int(told), len(body)) > largest:
        raise HTTPException(413, f"the body must have at most {largest} bytes")
    return bytes(body)


def _json(content: Any, code: int = 200) -> Response:
    # infinite and undefined numbers as TF Serving writes them
    return Response(json.dumps(content), code, media_type="application/json")


async def _refusal(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return _json({"error": error.detail}, error.status_code)
