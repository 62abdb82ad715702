#!/usr/bin/env bash
# Make the figures and tables of docs/ again, all or those named: digits, accuracy, likelihood,
# results.
# `results` takes hours on two cores; its finished cells are kept in runs/tables.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$here/environment.sh"
environment
export TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-3}"
cd "$root"
[ "$#" -gt 0 ] || set -- digits accuracy likelihood results
for figure in "$@"; do
    case "$figure" in
    digits)
        gddim-tf sample --model saved_models/digits_vp --count 100 --nfe 20 \
            --labels 0,1,2,3,4,5,6,7,8,9 --out docs/digits.png
        ;;
    accuracy) python scripts/accuracy.py --out docs ;;
    likelihood)
        for kind in vp cld bdm; do
            gddim-tf likelihood --model "saved_models/digits_$kind" --data digits --levels 17 \
                --probes 1 --tolerance 1e-3 --batch-size 297 --out "docs/likelihood_$kind.json"
        done
        ;;
    results) python -m benchmarks.papers --out docs --cells runs/tables ;;
    *)
        echo "figures.sh: must be digits, accuracy, likelihood or results, received $figure" >&2
        exit 2
        ;;
    esac
done
