"""Files of the Hugging Face hub, named `hf://user/name`."""

from __future__ import annotations

import os
import pathlib
import re

from gddim_tf.extras import missing

SCHEME = "hf://"
_NAME = re.compile(r"hf://([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")
# What models are kept in, published weights too; no Python, no pickles.
_PATTERNS = ("*.keras", "*.json", "*.safetensors", "*.npz", "*.pb", "variables/*", "*/variables/*")


def from_hub(path: str | os.PathLike[str]) -> pathlib.Path:
    """The folder of a hub repository on this disk, downloaded if it is not in the hub's cache.

    Nothing in it is executed. With `HF_HUB_OFFLINE=1` only the cache is asked.

    Args:
      path: `hf://user/name` or `hf://user/name@revision`; any other path comes back as it is.

    Returns:
      The path of a folder or file.

    Raises:
      ValueError: if it is not the name of a repository.
      ImportError: without huggingface_hub (`pip install "gddim_tf[hub]"`).
      FileNotFoundError: if there is no such repository or revision, or it cannot be reached and is
        not in the cache.
    """
    name = str(path)
    if not name.startswith(SCHEME):
        return pathlib.Path(path)
    match = _NAME.fullmatch(name)
    if match is None or ".." in name:
        raise ValueError(
            f"a model of the hub must be hf://user/name or hf://user/name@revision, received {name}"
        )
    try:
        import huggingface_hub
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError as error:
        raise missing("hub", f"the model {name}", error) from error
    repository, revision = match.groups()
    try:
        folder = huggingface_hub.snapshot_download(
            repository, revision=revision, allow_patterns=list(_PATTERNS)
        )
    except (HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise FileNotFoundError(
            f"{name} is neither on the hub nor in its cache: {str(error).splitlines()[0]}"
        ) from error
    return pathlib.Path(folder)
