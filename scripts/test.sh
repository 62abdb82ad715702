#!/usr/bin/env bash
# Runs the style checks, the type check and the whole test suite, a process per core and at most four;
# with arguments they go to pytest instead, and pages and types are not checked (./scripts/test.sh -m slow).
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$here/environment.sh"
environment test
cd "$root"
ruff check .
ruff format --check .
export TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-2}"
if [ "$#" -eq 0 ]; then
    NO_MKDOCS_2_WARNING=1 mkdocs build --site-dir "$(mktemp -d)"
    basedpyright --pythonpath "$(command -v python)"
    set -- -n auto --maxprocesses 4 --dist worksteal
fi
exec python -m pytest "$@"
