#!/usr/bin/env bash
# Make the figures and tables of docs/ again: scripts/figures.sh [NAME...], all or those named:
# digits, clothes, editing, accuracy, tuning, likelihood, results.
# `results` takes hours on two cores, `clothes` some minutes; what they draw is kept in runs/.
# $CLOTHES is where Fashion-MNIST is, fashion_mnist or idx:FOLDER.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$here/environment.sh"
cd "$root"
CLOTHES="${CLOTHES:-fashion_mnist}"
refuse() {
    echo "figures.sh: $1" >&2
    exit 2
}
[ "$#" -gt 0 ] || set -- digits clothes editing accuracy tuning likelihood results
for figure in "$@"; do # before anything is made
    case "$figure" in
    digits | editing | accuracy | results) ;;
    clothes | tuning | likelihood)
        folder="${CLOTHES#idx:}"
        if [[ "$CLOTHES" == idx:* && ! -d "${folder/#\~/${HOME:-}}" ]]; then
            refuse "\$CLOTHES must be fashion_mnist or idx:FOLDER, received $CLOTHES: there is no such folder"
        fi
        ;;
    -h | --help)
        sed -n '2,/^set /{s/^# //p}' "${BASH_SOURCE[0]}"
        exit
        ;;
    *) refuse "must be digits, clothes, editing, accuracy, tuning, likelihood or results, received $figure" ;;
    esac
done
environment evaluation
export TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-3}"
for figure in "$@"; do
    case "$figure" in
    digits)
        gddim-tf sample --model saved_models/digits_vp --count 100 --nfe 20 \
            --labels 0,1,2,3,4,5,6,7,8,9 --out docs/digits.png
        ;;
    clothes)
        python scripts/clothes.py --out docs/clothes.png
        for kind in vp cld bdm; do
            noisy="ddim(eta=1)"
            [ "$kind" != cld ] || noisy="stochasticgddim(lam=1)"
            gddim-tf evaluate --model "saved_models/fashion_$kind" \
                --data "$CLOTHES" --floor-split "test[:500]" \
                --samplers "ddim; gddim(order=2); default; $noisy" --nfe 5,10,20,50 --count 500 \
                --batch-size 250 --out "runs/clothes/$kind"
        done
        ;;
    editing) python scripts/editing.py --out docs ;;
    accuracy) python -m benchmarks.accuracy --out docs ;;
    tuning)
        for model in digits_vp digits_cld digits_bdm fashion_vp fashion_cld fashion_bdm; do
            tuned="runs/tuned/$model" data=digits count=1500 seeds=512
            [[ "$model" == digits_* ]] || data="$CLOTHES" count=500 seeds=256
            gddim-tf tune --model "saved_models/$model" --nfe 3,4,5,6,8,10 --count "$seeds" \
                --out "$tuned"
            gddim-tf evaluate --model "saved_models/$model" --data "$data" --nfe 3,4,5,6,8,10 \
                --samplers "default; gddim(order=3); unipc(order=2); tuned:$tuned" \
                --count "$count" --out "$tuned/evaluation"
        done
        python scripts/tuning.py runs/tuned/digits_* --out docs/tuning.png
        python scripts/tuning.py runs/tuned/fashion_* --out docs/tuning_clothes.png
        ;;
    likelihood)
        for kind in vp cld bdm; do
            gddim-tf likelihood --model "saved_models/digits_$kind" --data digits --levels 17 \
                --probes 1 --tolerance 1e-3 --batch-size 297 --out "docs/likelihood_$kind.json"
            gddim-tf likelihood --model "saved_models/fashion_$kind" \
                --data "$CLOTHES" --count 100 --probes 1 --tolerance 1e-3 \
                --out "docs/likelihood_fashion_$kind.json"
        done
        ;;
    results) python -m benchmarks.papers --out docs --cells runs/tables ;;
    esac
done
