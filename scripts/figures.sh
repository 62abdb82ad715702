#!/usr/bin/env bash
# Make the figures and tables of docs/ again, all or those named: digits, clothes, editing,
# accuracy, tuning, likelihood, results.
# `results` takes hours on two cores, `clothes` some minutes; what they draw is kept in runs/.
# $CLOTHES is where Fashion-MNIST is, fashion_mnist or idx:FOLDER.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$here/environment.sh"
environment evaluation
export TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-3}"
cd "$root"
[ "$#" -gt 0 ] || set -- digits clothes editing accuracy tuning likelihood results
for figure in "$@"; do
    case "$figure" in
    digits)
        gddim-tf sample --model saved_models/digits_vp --count 100 --nfe 20 \
            --labels 0,1,2,3,4,5,6,7,8,9 --out docs/digits.png
        ;;
    clothes)
        mkdir -p runs/clothes
        gddim-tf sample --model saved_models/fashion_vp --count 100 --nfe 50 \
            --labels 0,1,2,3,4,5,6,7,8,9 --out runs/clothes/grid.png --array runs/clothes/grid.npy
        python - <<'END'
import numpy as np
from gddim_tf.data import FASHION_MNIST_CLASSES
from gddim_tf.evaluation import save_grid
images = np.load("runs/clothes/grid.npy")
save_grid(images, "docs/clothes.png", columns=10, scale=2, titles=FASHION_MNIST_CLASSES)
END
        gddim-tf evaluate --model saved_models/fashion_vp --data "${CLOTHES:-fashion_mnist}" \
            --floor-split "test[:500]" --samplers "ddim; gddim(order=2)" \
            --nfe 5,10,20 --count 500 --batch-size 250 --out runs/clothes
        ;;
    editing) python scripts/editing.py --out docs ;;
    accuracy) python -m benchmarks.accuracy --out docs ;;
    tuning)
        for kind in vp cld bdm; do
            gddim-tf tune --model "saved_models/digits_$kind" --nfe 3,4,5,6,8,10 \
                --out "runs/tuned_$kind"
            gddim-tf evaluate --model "saved_models/digits_$kind" --nfe 3,4,5,6 \
                --samplers "default; tuned:runs/tuned_$kind" --out "runs/tuned_$kind/evaluation"
        done
        python scripts/tuning.py runs/tuned_vp runs/tuned_cld runs/tuned_bdm
        ;;
    likelihood)
        for kind in vp cld bdm; do
            gddim-tf likelihood --model "saved_models/digits_$kind" --data digits --levels 17 \
                --probes 1 --tolerance 1e-3 --batch-size 297 --out "docs/likelihood_$kind.json"
        done
        ;;
    results) python -m benchmarks.papers --out docs --cells runs/tables ;;
    *)
        echo "figures.sh: must be digits, clothes, editing, accuracy, tuning, likelihood or results, received $figure" >&2
        exit 2
        ;;
    esac
done
