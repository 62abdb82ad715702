"""Clients that ask a server for images as fast as it answers, and check every one of them.

For example:
  python -m benchmarks.load --model saved_models/digits_vp --seconds 60
  python -m benchmarks.load --model saved_models/digits_vp --address localhost:8500

Without an address, the small gRPC server beside this file runs in a process of its own; it is not
TF Serving, but runs the model through the same C loader. One request in 20 is a bad one and must be
refused. Prints the latency, the images per second and how much the server's memory has grown since
the end of the warm-up. Exits with code 1 after a wrong answer or growth above 5 %.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import pathlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence

import numpy as np

from gddim_tf.checks import real, whole
from gddim_tf.cli.program import explained
from gddim_tf.data import to_uint8
from gddim_tf.samplers.parse import parse
from gddim_tf.serving import ServedModel, connect

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEEDS, LARGEST_BATCH, BAD_SHARE, GROWTH = 64, 8, 0.05, 1.05


class Load:
    """What the clients ask, what they must get, and how long it took."""

    def __init__(self, model: ServedModel, sampler: str, nfe: int) -> None:
        self.nfe, self.classes = nfe, model.num_classes
        self.labels = np.arange(SEEDS) % (self.classes + 1)
        known = model.sample(
            SEEDS, parse(sampler), nfe, labels=self.labels if self.classes else None
        )
        self.images = np.asarray(to_uint8(known)).astype(int)
        self.requests: list[tuple[float, int]] = []  # seconds, images
        self.refused, self.wrong = 0, []

    @property
    def signatures(self) -> list[tuple[str, int | None]]:
        """What is called, each with what it takes as `nfe`."""
        return [
            (f"sample_{self.nfe}", None),
            (f"sample_png_{self.nfe}", None),
            ("sample", self.nfe),
        ]

    def warm_up(self, address: str, name: str) -> None:
        """Call every signature once: a server prepares a graph when it is first asked for it."""
        for signature, nfe in self.signatures:
            client = connect(address, name)
            client.sample(1, signature, labels=0 if self.classes else None, nfe=nfe)

    def work(self, address: str, name: str, number: int, stop: threading.Event) -> None:
        """One client, until told to stop."""
        client, rng = connect(address, name), np.random.default_rng(number)
        while not stop.is_set():
            first = int(rng.integers(SEEDS - LARGEST_BATCH))
            count = int(rng.integers(1, LARGEST_BATCH + 1))
            rows = slice(first, first + count)
            signature, nfe = self.signatures[rng.integers(3)]
            bad = rng.random() < BAD_SHARE
            labels = self.labels[rows] if self.classes else None
            if bad:
                signature, nfe = "sample", 10**6
            begin = time.perf_counter()
            try:
                images = client.sample(
                    count, signature, labels=labels, nfe=nfe, first=first, batch_size=count
                )
            except ValueError as error:
                self.refused += bad and "`nfe`" in str(error)
                if not bad:
                    self.wrong.append(str(error))
                continue
            except OSError as error:
                self.wrong.append(str(error))
                continue
            self.requests.append((time.perf_counter() - begin, count))
            gap = np.abs(images.astype(int) - self.images[rows])
            if bad or gap.max() > 1:  # 1 is a rounding that the size of a batch may cause
                self.wrong.append(f"images {first} to {first + count} of {signature}")


@contextlib.contextmanager
def own_server(model: pathlib.Path, name: str) -> Iterator[tuple[str, int]]:
    """The address and the process of the small server."""
    command = [sys.executable, "-m", "benchmarks.load.server", str(model.resolve()), name]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, text=True, stdin=pipe, stdout=pipe) as server:
        if server.stdin is None or server.stdout is None:
            raise OSError("the server must have pipes to be told to end")
        try:
            yield json.loads(server.stdout.readline())["grpc"], server.pid
        finally:
            server.stdin.close()


def memory(pid: int) -> float:
    """Resident memory of a process in MB."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and say whether all was well; 2 if the options do not fit."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="saved_models/digits_vp", help="exported model")
    parser.add_argument("--sampler", default="gddim(order=2)", help="with which it was exported")
    parser.add_argument("--nfe", type=int, default=10, help="an exported budget")
    parser.add_argument("--address", help="of a running TF Serving, host:port of gRPC")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--warm-up", type=float, default=15.0, help="seconds not counted")
    options, codes = parser.parse_args(arguments), []
    code = explained("python -m benchmarks.load", lambda: codes.append(run(options)))
    return code or codes[0]


def run(options: argparse.Namespace) -> int:
    """Ask for as long as was told, and report."""
    whole("--clients", options.clients, 1)
    real("--seconds", options.seconds, 0, above=True)
    real("--warm-up", options.warm_up, 0)
    model = ServedModel(options.model)
    if f"sample_{options.nfe}" not in model.signatures:
        raise ValueError(
            f"`--nfe` must be an exported budget of {model.folder}, received {options.nfe}"
        )
    name = model.folder.parent.resolve().name
    load, stop = Load(model, options.sampler, options.nfe), threading.Event()
    given = contextlib.nullcontext((options.address, None))
    with given if options.address else own_server(model.folder, name) as (address, pid):
        clients = [
            threading.Thread(target=load.work, args=(address, name, number, stop))
            for number in range(options.clients)
        ]
        load.warm_up(address, name)
        for client in clients:
            client.start()
        time.sleep(options.warm_up)
        before, warm = memory(pid) if pid else 0.0, len(load.requests)
        time.sleep(options.seconds)
        after = memory(pid) if pid else 0.0
        requests = load.requests[warm:]
        stop.set()
        for client in clients:
            client.join()
    return report(load, requests, options, before, after)


def report(
    load: Load,
    requests: list[tuple[float, int]],
    options: argparse.Namespace,
    before: float,
    after: float,
) -> int:
    """Print the numbers; the exit code."""
    if not requests:
        print(f"no request was answered: {load.wrong[:3]}", file=sys.stderr)
        return 1
    seconds, images = np.array(requests).T
    p50, p95 = 1000 * np.percentile(seconds, [50, 95])
    print(
        f"{options.clients} clients, {options.seconds:g} s, 1 to {LARGEST_BATCH} images a request"
    )
    print(f"{len(requests)} answers, {len(load.wrong)} wrong; {load.refused} bad requests refused")
    print(
        f"latency p50 {p50:.0f} ms, p95 {p95:.0f} ms; {images.sum() / options.seconds:.1f} images/s"
    )
    if before:
        print(f"server memory {before:.0f} MB after warm-up, {after:.0f} MB at the end")
    for line in load.wrong[:3]:
        print(f"wrong: {line}", file=sys.stderr)
    return int(bool(load.wrong) or after > GROWTH * before)


if __name__ == "__main__":
    sys.exit(main())
