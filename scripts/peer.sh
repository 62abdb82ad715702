#!/bin/sh
# The environment of PyTorch and diffusers that the benchmarks compare with, in build/peer.
# One that cannot be made whole is removed; one that was whole before stays as it was.
set -eu
cd "$(dirname "$0")/.."
peer=build/peer
try="import torch, diffusers; print('torch', torch.__version__, 'diffusers', diffusers.__version__)"
"$peer/bin/python" -c "$try" 2>/dev/null && exit
rm -rf "$peer"
"${PYTHON:-python3}" -m venv "$peer"
if ! "$peer/bin/python" -m pip install --quiet torch diffusers; then
    rm -rf "$peer"
    echo "peer.sh: torch and diffusers could not be installed; is there a network?" >&2
    exit 2
fi
"$peer/bin/python" -c "$try"
