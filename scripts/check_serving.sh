#!/usr/bin/env bash
# The official TF Serving image, end to end: start it on saved_models/digits_vp, ask it for images
# over gRPC and REST, compare them with those that Python draws, stop it. Needs Docker with compose.
# Usage: ./scripts/check_serving.sh    (TF_SERVING_TAG, GRPC_PORT and REST_PORT can be set)
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
if ! docker compose version >/dev/null 2>&1; then
    echo "check_serving.sh needs Docker with the compose plugin" >&2
    exit 2
fi
# shellcheck source=environment.sh
source "$here/environment.sh"
environment serving
export TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-3}"
export GRPC_PORT="${GRPC_PORT:-8500}" REST_PORT="${REST_PORT:-8501}"
model="$root/saved_models/digits_vp"
work="$(mktemp -d)"
compose() { docker compose --project-name gddim-tf-check --project-directory "$model" "$@"; }
finish() {
    code=$?
    if [ "$code" -ne 0 ]; then compose logs --tail 50 >&2 || true; fi
    compose down --timeout 10 >/dev/null 2>&1 || true
    rm -rf "$work"
    exit "$code"
}
trap finish EXIT

compose up --detach
options=(--count 20 --seed 7 --labels "0,1,2,3,4,5,6,7,8,9" --out "$work/picture.png")
gddim-tf sample --model "$model" --sampler "gddim(order=2)" --nfe 10 "${options[@]}" --array "$work/known.npy"

ask() { # file, then arguments of the client
    local file="$work/$1.npy"
    shift
    gddim-tf client --model digits_vp --wait 180 "${options[@]}" --array "$file" "$@"
    python - "$work/known.npy" "$file" <<'PYTHON'
import sys

import numpy as np

known, served = (np.load(path).astype(int) for path in sys.argv[1:])
gap = np.abs(known - served).max()
print(f"{len(served)} images, largest difference {gap} of 255")
sys.exit(f"{sys.argv[2]} differs from what Python draws" if gap > 1 else 0)
PYTHON
}
grpc=(--protocol grpc --address "localhost:$GRPC_PORT")
rest=(--protocol rest --address "localhost:$REST_PORT")
ask grpc "${grpc[@]}" --signature sample_10
ask grpc_nfe "${grpc[@]}" --signature sample --nfe 10
ask grpc_png "${grpc[@]}" --signature sample_png_10
ask rest "${rest[@]}" --signature sample_10
ask rest_png "${rest[@]}" --signature sample_png_10
if gddim-tf client --model digits_vp "${rest[@]}" --labels 11 --out "$work/none.png"; then
    echo "a label out of range was not refused" >&2
    exit 1
fi
curl --fail --silent --show-error "http://localhost:$REST_PORT/monitoring/prometheus/metrics" |
    grep -q tensorflow || { echo "no numbers for Prometheus" >&2; exit 1; }
echo "TF Serving draws the same images as Python, over gRPC and REST"
