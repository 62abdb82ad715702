"""Reading PyTorch's zip files (.pt, .pth, .ckpt) without PyTorch and without running any code.

Such a file is a pickle that describes the objects beside the raw bytes of the tensors. The pickle
is only allowed to build lists, dicts and descriptions of tensors; whatever else it names is
refused before it is looked up.
"""

from __future__ import annotations

import collections
import dataclasses
import io
import math
import pickle
import pickletools
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

_STORAGES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


@dataclasses.dataclass(slots=True)
class TensorRecord:
    """Where a tensor lies in the file: everything that the pickle may say about it."""

    dtype: str
    key: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class TorchFile:
    """A PyTorch zip file, to be opened with `with`.

    Args:
      path: the file.

    Raises:
      ValueError: if it is damaged, of another format, or names anything but tensors.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            raise ValueError(f"{path} is not a readable PyTorch file: {error}") from error
        self._check_entries()
        self._storages: dict[tuple[str, str], np.ndarray] = {}
        roots = [name for name in self._zip.namelist() if name.endswith("/data.pkl")]
        if len(roots) != 1:
            raise ValueError(f"{path} is not a PyTorch file: it must hold exactly one data.pkl")
        self._root = roots[0].removesuffix("data.pkl")
        if self._has("byteorder") and self._bytes("byteorder") != b"little":
            raise ValueError(f"{path} must hold little-endian tensors")

    def __enter__(self) -> TorchFile:
        return self

    def __exit__(self, *error: object) -> None:
        self._zip.close()

    def objects(self) -> Any:
        """Return what was saved, with a `TensorRecord` in the place of each tensor.

        Raises:
          ValueError: if the pickle is damaged or wants anything but tensors.
        """
        return _load(self._bytes("data.pkl"), self.path)

    def tensor(self, record: TensorRecord) -> np.ndarray:
        """Return one tensor, a view of its storage, which is read once for all that share it.

        Raises:
          ValueError: if the description does not fit the stored bytes.
        """
        storage = self._storage(record)
        shape, strides = record.shape, record.strides
        numbers = (record.offset, *shape, *strides)
        whole = all(type(number) is int and number >= 0 for number in numbers)
        if not whole or len(shape) != len(strides):
            raise ValueError(f"{self.path} describes the tensor at data/{record.key} wrongly")
        if math.prod(shape) == 0:
            return np.zeros(shape, storage.dtype)
        last = record.offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
        if last >= storage.size or math.prod(shape) > storage.size:
            raise ValueError(f"{self.path} describes more than the bytes at data/{record.key}")
        steps = [s * storage.itemsize for s in strides]
        start = storage[record.offset :]
        return np.lib.stride_tricks.as_strided(start, shape, steps, writeable=False)

    def _storage(self, record: TensorRecord) -> np.ndarray:
        place = (record.key, record.dtype)
        if place not in self._storages:
            self._storages[place] = self._read_storage(record)
        return self._storages[place]

    def _read_storage(self, record: TensorRecord) -> np.ndarray:
        name = f"data/{record.key}"
        if not self._has(name):
            raise ValueError(f"{self.path} lacks the bytes of a tensor: {name}")
        content = self._bytes(name)
        if record.dtype == "bfloat16":
            # The upper half of a float32.
            halves = np.frombuffer(content, "<u2").astype("<u4") << 16
            return halves.view("<f4")
        return np.frombuffer(content, record.dtype)

    def _has(self, name: str) -> bool:
        return self._root + name in self._zip.NameToInfo

    def _bytes(self, name: str) -> bytes:
        try:
            return self._zip.read(self._root + name)
        except (zipfile.BadZipFile, EOFError, OSError, RuntimeError) as error:
            raise ValueError(f"{self.path} is damaged at {name}: {error}") from error

    def _check_entries(self) -> None:
        """Refuse archives that unpack to more than they are; PyTorch stores without compression."""
        entries = self._zip.infolist()
        packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
        if packed or sum(entry.file_size for entry in entries) > self.path.stat().st_size:
            raise ValueError(f"{self.path} is not a PyTorch file: its entries must not be packed")


def _load(content: bytes, path: Path) -> Any:
    """Run the restricted unpickler."""
    try:
        for opcode, argument, _ in pickletools.genops(content):
            # A memo number beyond the file would only make the unpickler allocate its table.
            if "PUT" in opcode.name and argument is not None and argument > len(content):
                raise ValueError("its memo is out of range")
        return _Unpickler(io.BytesIO(content), path).load()
    except _Refused as error:
        raise ValueError(str(error)) from None
    except Exception as error:  # a damaged pickle can raise whatever its opcodes raise
        raise ValueError(f"{path} holds a damaged pickle: {error}") from error


class _Refused(Exception):
    """The pickle names something that is not a tensor."""


class _Unpickler(pickle.Unpickler):
    """Builds lists, dicts and `TensorRecord`s, and refuses the rest."""

    def __init__(self, file: io.BytesIO, path: Path) -> None:
        super().__init__(file)
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        """Return one of the few names that tensors need."""
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return _rebuild_parameter
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise _Refused(
            f"{self._path} wants to use `{module}.{name}`, which is not a tensor: refused"
        )

    def persistent_load(self, pid: Any) -> tuple[str, str]:
        """Return the dtype and the key of a storage."""
        kind, dtype, key, *_ = pid
        if kind != "storage" or dtype not in _STORAGES.values() or not isinstance(key, str):
            raise _Refused(f"{self._path} refers to something that is not a tensor: refused")
        return dtype, key


def _rebuild_tensor(
    storage: tuple[str, str], offset: int, shape: tuple, strides: tuple, *_: Any
) -> TensorRecord:
    return TensorRecord(*storage, offset, tuple(shape), tuple(strides))


def _rebuild_parameter(tensor: TensorRecord, *_: Any) -> TensorRecord:
    return tensor
