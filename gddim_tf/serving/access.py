"""How a client knows its server, and how the server knows the client."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import ssl
from collections.abc import Mapping

# Names that HTTP, gRPC or the token need for themselves.
_TAKEN = re.compile(
    r"grpc-.*|.*-bin|host|authorization|connection|content-.*|te|trailer|transfer-encoding|upgrade"
    r"|expect|user-agent|accept-encoding"
)
_HERE = re.compile(r"(localhost|127\.\d+\.\d+\.\d+|\[::1\]):\d+")


@dataclasses.dataclass(frozen=True)
class Access:
    """TLS, a token, and metadata of every call; the same for both protocols.

    Args:
      tls: speak TLS and require a certificate for the name in the address.
      ca_file: PEM file of the authorities to trust; those that the system (REST) or gRPC brings
        by default. It implies `tls`.
      token: sent as `authorization: Bearer TOKEN`; never without TLS to another machine.
      metadata: names and values sent with every call, as headers over REST.

    Raises:
      ValueError: if the file holds no certificates, or a token or metadata cannot be sent.
      OSError: if the file cannot be read.

    Examples:
      >>> Access(tls=True, token="secret").tls
      True
    """

    tls: bool = False
    ca_file: str | os.PathLike | None = None
    token: str | None = dataclasses.field(default=None, repr=False)
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.ca_file is not None:
            object.__setattr__(self, "tls", True)
            self.context()
        if self.token is not None and not re.fullmatch(r"[\x21-\x7e]+", self.token):
            raise ValueError("`token` must be printable ASCII without spaces; it is not")
        for name, value in self.metadata.items():
            if not re.fullmatch(r"[a-z0-9_.-]+", name) or _TAKEN.fullmatch(name):
                raise ValueError(
                    "`metadata` must have names of lower-case letters, digits, _, . and -, that "
                    f"no protocol uses, received {name!r}"
                )
            if not isinstance(value, str) or not re.fullmatch(
                r"([\x21-\x7e]( *[\x21-\x7e])*)?", value
            ):
                raise ValueError(f"`metadata` must have values of printable ASCII, that of {name}")

    def check_address(self, address: str) -> None:
        """Refuse to send a token in the open.

        Raises:
          ValueError: if there is a token, no TLS, and the address is not on this machine.
        """
        if self.token is not None and not self.tls and not _HERE.fullmatch(address):
            raise ValueError(f"`token` must go over TLS to {address}, received tls=False")

    def headers(self) -> dict[str, str]:
        """What goes with every call."""
        own = {} if self.token is None else {"authorization": f"Bearer {self.token}"}
        return {**self.metadata, **own}

    def certificates(self) -> bytes | None:
        """The content of `ca_file`."""
        return None if self.ca_file is None else pathlib.Path(self.ca_file).read_bytes()

    def context(self) -> ssl.SSLContext | None:
        """For sockets; None without TLS."""
        if not self.tls:
            return None
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except ssl.SSLError as error:
            raise ValueError(
                f"`ca_file` must hold PEM certificates, received {self.ca_file}"
            ) from error
        except OSError as error:  # which does not tell the file
            raise OSError(error.errno or 0, error.strerror, str(self.ca_file)) from error
