# Sourced by the other scripts. It sets $root, the clone, and defines
#   environment EXTRA...   (extras of setup.cfg, such as test)
# which makes or reuses the virtual environment, installs the package and puts both into PATH.
# The folder of the environment is $GDDIM_TF_VENV, or .venv in the clone.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

environment() {
    local venv="${GDDIM_TF_VENV:-$root/.venv}" python="${PYTHON:-python3.11}" extras stamp
    extras="$(IFS=,; echo "$*")"
    stamp="$venv/.gddim_tf-${extras:-base}"
    command -v "$python" >/dev/null || python=python3
    if ! "$python" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))'; then
        echo "gddim_tf needs Python 3.11 or 3.12; set PYTHON to its path" >&2
        exit 2
    fi
    # A folder without a working pip is what an interruption left behind.
    if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --clear "$venv"
    fi
    # Installed in place, so that a new commit of the clone needs no new installation.
    if [ ! -e "$stamp" ] || [ "$root/setup.cfg" -nt "$stamp" ]; then
        echo "installing into $venv (the first time this downloads about 1 GB)"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -e "$root${extras:+[$extras]}"
        touch "$stamp"
    fi
    export PATH="$venv/bin:$PATH"
}
