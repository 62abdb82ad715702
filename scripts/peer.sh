#!/bin/sh
# The environment of PyTorch and diffusers that benchmarks/speed compares with, in build/peer.
set -eu
cd "$(dirname "$0")/.."
python -m venv build/peer
build/peer/bin/pip install --quiet torch diffusers
build/peer/bin/python -c "import torch, diffusers; print('torch', torch.__version__, 'diffusers', diffusers.__version__)"
