"""A SavedModel behind TensorFlow's C API, by ctypes: no Python of TensorFlow, Keras or gddim_tf.

`TF_LoadSessionFromSavedModel` is the loader that TF Serving is built on, and its sessions run the
graph as a server does. Needs NumPy and the shared libraries of an installed TensorFlow.
"""

from __future__ import annotations

import ctypes
import importlib.util
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

_DTYPES = {1: np.float32, 3: np.int32, 4: np.uint8, 7: np.object_, 9: np.int64}
_CODES = {np.dtype(value): code for code, value in _DTYPES.items()} | {np.dtype(np.float64): 2}
_STRING = 7


class CError(Exception):
    """What a TF_Status said: its code (that of gRPC) and its message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Output(ctypes.Structure):
    _fields_ = (("operation", ctypes.c_void_p), ("index", ctypes.c_int))


class _Buffer(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("length", ctypes.c_size_t),
        ("deallocator", ctypes.c_void_p),
    )


def _library() -> ctypes.CDLL:
    spec = importlib.util.find_spec("tensorflow")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("TensorFlow must be installed for its C library")
    folder = pathlib.Path(spec.submodule_search_locations[0])
    ctypes.CDLL(str(folder / "libtensorflow_framework.so.2"), mode=ctypes.RTLD_GLOBAL)
    library = ctypes.CDLL(str(folder / "libtensorflow_cc.so.2"), mode=ctypes.RTLD_GLOBAL)
    pointers = (
        "TF_NewStatus TF_NewGraph TF_NewSessionOptions TF_NewBuffer TF_LoadSessionFromSavedModel "
        "TF_GraphOperationByName TF_AllocateTensor TF_TensorData TF_StringGetDataPointer"
    )
    for name in pointers.split():
        getattr(library, name).restype = ctypes.c_void_p
    library.TF_Message.restype = ctypes.c_char_p
    for name in ("TF_Dim", "TF_TensorByteSize", "TF_StringGetSize"):
        getattr(library, name).restype = ctypes.c_int64
    return library


class CSession:
    """A loaded model.

    Attributes:
      signatures: name -> ("inputs" and "outputs" -> name -> (tensor's name, dtype's code, shape)),
        where a shape is None (unknown rank) or a list with -1 for what is free.
      meta_graph: the serialized MetaGraphDef.
    """

    def __init__(self, path: str | pathlib.Path) -> None:
        self._tf = _library()
        self._graph = ctypes.c_void_p(self._tf.TF_NewGraph())
        buffer = ctypes.cast(self._tf.TF_NewBuffer(), ctypes.POINTER(_Buffer))
        status = ctypes.c_void_p(self._tf.TF_NewStatus())
        self._session = ctypes.c_void_p(
            self._tf.TF_LoadSessionFromSavedModel(
                ctypes.c_void_p(self._tf.TF_NewSessionOptions()),
                None,
                str(path).encode(),
                (ctypes.c_char_p * 1)(b"serve"),
                1,
                self._graph,
                buffer,
                status,
            )
        )
        self._check(status)
        self.meta_graph = ctypes.string_at(buffer.contents.data, buffer.contents.length)
        described = dict(map(_signature, _fields(self.meta_graph)[5]))
        self.signatures = {n: value for n, value in described.items() if not n.startswith("__")}

    def run(self, signature: str, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """The outputs of a signature by name; `CError` if TensorFlow refuses."""
        described = self.signatures[signature]
        feeds = [self._tensor(np.asarray(value)) for value in inputs.values()]
        fetches = (ctypes.c_void_p * len(described["outputs"]))()
        status = ctypes.c_void_p(self._tf.TF_NewStatus())
        try:
            self._tf.TF_SessionRun(
                self._session,
                None,
                self._outputs([described["inputs"][name][0] for name in inputs]),
                (ctypes.c_void_p * len(feeds))(*feeds),
                len(feeds),
                self._outputs([tensor for tensor, _, _ in described["outputs"].values()]),
                fetches,
                len(fetches),
                None,
                0,
                None,
                status,
            )
            self._check(status)
            arrays = [self._array(ctypes.c_void_p(fetch)) for fetch in fetches]
        finally:
            for tensor in (*feeds, *fetches):
                self._tf.TF_DeleteTensor(ctypes.c_void_p(tensor))
        return dict(zip(described["outputs"], arrays, strict=True))

    def _check(self, status: ctypes.c_void_p) -> None:
        code, message = self._tf.TF_GetCode(status), self._tf.TF_Message(status)
        self._tf.TF_DeleteStatus(status)
        if code:
            raise CError(code, message.decode())

    def _outputs(self, names: Sequence[str]) -> ctypes.Array[_Output]:
        found = []
        for name in names:
            operation, index = name.rsplit(":", 1)
            pointer = self._tf.TF_GraphOperationByName(self._graph, operation.encode())
            found.append(_Output(pointer, int(index)))
        return (_Output * len(found))(*found)

    def _tensor(self, value: np.ndarray) -> int:
        dims = (ctypes.c_int64 * value.ndim)(*value.shape)
        code, size = _CODES[value.dtype], ctypes.c_size_t(value.nbytes)
        tensor = self._tf.TF_AllocateTensor(code, dims, value.ndim, size)
        data = self._tf.TF_TensorData(ctypes.c_void_p(tensor))
        ctypes.memmove(data, np.ascontiguousarray(value).ctypes.data, value.nbytes)
        return tensor

    def _array(self, tensor: ctypes.c_void_p) -> np.ndarray:
        shape = [self._tf.TF_Dim(tensor, i) for i in range(self._tf.TF_NumDims(tensor))]
        code, data = self._tf.TF_TensorType(tensor), self._tf.TF_TensorData(tensor)
        if code != _STRING:
            content = ctypes.string_at(data, self._tf.TF_TensorByteSize(tensor))
            return np.frombuffer(content, _DTYPES[code]).reshape(shape)
        width = self._tf.TF_TensorByteSize(tensor) // max(1, int(np.prod(shape)))
        texts = np.empty(int(np.prod(shape)), np.object_)
        for i in range(len(texts)):
            text = ctypes.c_void_p(data + i * width)
            pointer = self._tf.TF_StringGetDataPointer(text)
            texts[i] = ctypes.string_at(pointer, self._tf.TF_StringGetSize(text))
        return texts.reshape(shape)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 128:
            return value - (value >> 63 << 64), at


def _fields(data: bytes) -> dict[int, list[Any]]:
    """The fields of a protocol buffer message: number -> list of integers or bytes."""
    found: dict[int, list[Any]] = {}
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(data, at)
        else:
            size, at = _varint(data, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
            value, at = data[at : at + size], at + size
        found.setdefault(tag >> 3, []).append(value)
    return found


def _signature(entry: bytes) -> tuple[str, dict[str, dict[str, Any]]]:
    pair = _fields(entry)
    tensors = _fields(pair[2][0])
    described = {
        kind: dict(map(_tensor_info, tensors.get(number, [])))
        for kind, number in (("inputs", 1), ("outputs", 2))
    }
    return pair[1][0].decode(), described


def _tensor_info(entry: bytes) -> tuple[str, tuple[str, int, list[int] | None]]:
    pair = _fields(entry)
    info = _fields(pair[2][0])
    shape = _fields(info.get(3, [b""])[0])
    dims = [_fields(dim).get(1, [0])[0] for dim in shape.get(2, [])]
    described = info[1][0].decode(), info.get(2, [0])[0], None if 3 in shape else dims
    return pair[1][0].decode(), described
