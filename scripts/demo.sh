#!/usr/bin/env bash
# Train, sample, evaluate and export a model of handwritten digits; results go to runs/demo.
# The same command again reuses what is there, and goes on where it was interrupted.
# docs/clothes.md does the same with 28x28 photographs of clothes, in hours.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$here/environment.sh"
environment evaluation
export TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-3}"
# trains faster than Eigen, which TensorFlow prefers on processors without AVX512-VNNI
export TF_ENABLE_ONEDNN_OPTS="${TF_ENABLE_ONEDNN_OPTS:-1}"
exec python "$here/demo.py" --out "$root/runs/demo" "$@"
