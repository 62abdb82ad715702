"""The guard that lets a data set be written only from the source it was defined on."""

from __future__ import annotations

from gddim_tf.digest import digest


def require_sha256(source: str, content: bytes, expected: str) -> None:
    """Refuse content whose SHA-256 is not the expected one.

    Args:
      source: what the content is, for the error message.
      content: the bytes that will be turned into a data set.
      expected: hexadecimal digest of the bytes that the data set was defined on.

    Raises:
      ValueError: if the digests differ; a changed source would silently change every number that
        was measured on the data set.
    """
    received = digest([content])
    if received != expected:
        raise ValueError(
            f"{source} must have the SHA-256 {expected}, received {received}: the installed "
            "version differs from the one that this data set is defined on"
        )
