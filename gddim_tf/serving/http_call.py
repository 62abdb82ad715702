"""One HTTP call that is over at its deadline and takes no more bytes than it was allowed.

Redirects are not followed: what was meant for one host goes to no other.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from typing import Any, NamedTuple

from gddim_tf.serving.errors import WrongAnswer

_PIECE = 2**16


class Answer(NamedTuple):
    """Status code and body."""

    code: int
    body: bytes


def http_call(
    host: str,
    port: int,
    path: str,
    body: bytes | None,
    headers: dict[str, str],
    *,
    context: ssl.SSLContext | None,
    deadline: float,
    largest: int,
) -> Answer:
    """GET, or POST if there is a body.

    Args:
      host: a name or number, IPv6 without brackets.
      port: of the server.
      path: with everything quoted.
      body: to send.
      headers: to send.
      context: for TLS; None for none.
      deadline: seconds for all of it: connecting, sending and the last byte of the answer.
      largest: bytes that the answer may have.

    Raises:
      TimeoutError: at the deadline.
      WrongAnswer: if the answer is longer than `largest`.
      OSError, http.client.HTTPException: as Python's own.
    """
    end = time.monotonic() + deadline
    connection = http.client.HTTPConnection(host, port)
    with _connected(host, port, context, end) as sock:
        connection.sock = _TimedSocket(sock, end)
        connection.request("GET" if body is None else "POST", path, body, headers)
        response = connection.getresponse()
        return Answer(response.status, _body(response, largest))


def _body(response: http.client.HTTPResponse, largest: int) -> bytes:
    body, told = io.BytesIO(), response.length or 0
    while body.tell() + told <= largest:
        piece = response.read(min(_PIECE, largest + 1 - body.tell()))
        if not piece:
            break
        body.write(piece)
        told = 0
    if body.tell() + told > largest:
        raise WrongAnswer(f"the answer is longer than the {largest} bytes it may have")
    if response.length:
        raise http.client.IncompleteRead(body.getvalue()[:0], response.length)
    return body.getvalue()


def _connected(host: str, port: int, context: ssl.SSLContext | None, end: float) -> socket.socket:
    """A connection to the first address of a host that takes one."""
    error: OSError = ConnectionError(f"{host} has no address")
    for family, kind, protocol, _, where in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(_left(end))
            sock.connect(where)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock if context is None else context.wrap_socket(sock, server_hostname=host)
        except OSError as failure:
            sock.close()
            error = failure
            if isinstance(failure, ssl.SSLError):
                break  # another address of the same server would not be trusted either
    raise error


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _TimedSocket:
    """What `http.client` needs of a socket; each call may take what is left until the end."""

    def __init__(self, sock: socket.socket, end: float) -> None:
        self._sock, self._end = sock, end

    def sendall(self, data: Any) -> None:
        """Send all of it, or raise `TimeoutError`."""
        self._sock.settimeout(_left(self._end))
        self._sock.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        """A file that reads what comes, until the end of the time."""
        return io.BufferedReader(_TimedReader(self._sock, self._end))

    def close(self) -> None:
        """Nothing: `http_call` closes the socket when the body has been read."""


class _TimedReader(io.RawIOBase):
    def __init__(self, sock: socket.socket, end: float) -> None:
        self._sock, self._end = sock, end

    def readable(self) -> bool:
        """True: that is all it is for."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what has come, or wait for it until the end of the time."""
        self._sock.settimeout(_left(self._end))
        return self._sock.recv_into(buffer)
