"""PyTorch and diffusers in a process of their own, which runs one job at a time when told."""

from __future__ import annotations

import contextlib
import json
import pathlib
import subprocess
from types import TracebackType
from typing import Any

from benchmarks.speed.turns import Run

# Made by scripts/peer.sh.
PYTHON = pathlib.Path(__file__).resolve().parents[2] / "build" / "peer" / "bin" / "python"


def peer_python(option: str | None) -> pathlib.Path | None:
    """The Python that a `--peer` means, None for no peer.

    Args:
      option: a path; "none"; or None for that of scripts/peer.sh, if it is there.

    Raises:
      FileNotFoundError: if there is nothing at the path.
    """
    if option is None:
        return PYTHON if PYTHON.exists() else None
    if option == "none":
        return None
    if not pathlib.Path(option).is_file():
        raise FileNotFoundError(
            f"`--peer` must be the Python of an environment that scripts/peer.sh made, or none, "
            f"received {option}"
        )
    return pathlib.Path(option)


class Peer:
    """A handle on the process; as a context it ends with the block.

    Args:
      python: of an environment with torch and diffusers.

    Raises:
      ConnectionError: if the process ends, now or while it runs a job; it has said why.
    """

    def __init__(self, python: pathlib.Path) -> None:
        program = pathlib.Path(__file__).with_name("peer_process.py")
        self._python = python
        self._process = subprocess.Popen(
            [python, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.versions: str = self._ask(job="versions")

    def run(self, job: str, **arguments: Any) -> Run:
        """A run of a job; what it needs is made at the first one."""
        return lambda: self._ask(job=job, **arguments)

    def _ask(self, **request: Any) -> Any:
        assert self._process.stdin and self._process.stdout
        with contextlib.suppress(BrokenPipeError):  # then there is no answer either
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise ConnectionError(
                f"the peer {self._python} ended while it ran {request}; --peer none leaves it out"
            )
        return json.loads(answer)

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait()
