#!/bin/sh
# First half of `make setup`: find a Python, make the virtual environment .venv and put uv in it.
# The second half is scripts/setup.py, which that Python runs.
set -eu
cd "$(dirname "$0")/.."

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# uv comes last, so its presence says that the rest is whole.
if ! is_new_enough .venv/bin/python || [ ! -x .venv/bin/uv ]; then
    found=
    for python in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if is_new_enough "$python"; then found=$python; break; fi
    done
    if [ -z "$found" ]; then
        echo "Chargeloop needs Python 3.11 or newer, and ${PYTHON:-python3} is not: install one, then 'make setup PYTHON=/path/to/python3.12'." >&2
        exit 1
    fi
    if ! "$found" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "This Python cannot make virtual environments: 'apt install python3-venv' (Debian, Ubuntu) or another Python with PYTHON=..., then again." >&2
        exit 1
    fi
    echo "Making the virtual environment .venv"
    rm -rf .venv
    "$found" -m venv .venv
    .venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/uv.txt
fi

exec .venv/bin/python -m scripts.setup
