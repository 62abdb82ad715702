"""PyTorch and diffusers in a process of their own, which runs one job at a time when told."""

from __future__ import annotations

import json
import pathlib
import subprocess
from types import TracebackType
from typing import Any

from benchmarks.speed.turns import Run

# Made by scripts/peer.sh.
PYTHON = pathlib.Path(__file__).resolve().parents[2] / "build" / "peer" / "bin" / "python"


class Peer:
    """A handle on the process; as a context it ends with the block.

    Args:
      python: of an environment with torch and diffusers.
    """

    def __init__(self, python: pathlib.Path) -> None:
        program = pathlib.Path(__file__).with_name("peer_process.py")
        self._process = subprocess.Popen(
            [python, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.versions: str = self._ask(job="versions")

    def run(self, job: str, **arguments: Any) -> Run:
        """A run of a job; what it needs is made at the first one."""
        return lambda: self._ask(job=job, **arguments)

    def _ask(self, **request: Any) -> Any:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the peer ended while it ran {request}")
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
