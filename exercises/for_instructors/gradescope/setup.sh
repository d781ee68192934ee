#!/usr/bin/env bash
# Run once by Gradescope, as root on Ubuntu, when the autograder's image is built.
set -euo pipefail
cd /autograder/source 2>/dev/null || cd "$(dirname "$0")"
here=${AUTOGRADER:-/autograder}

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq bubblewrap || echo "no bubblewrap: limits only, and the results say so"
for version in 3.13 3.12 3.11; do
    if apt-get install -y -qq "python$version" "python$version-venv"; then
        python=python$version
        break
    fi
done
: "${python:?Python 3.11, 3.12 or 3.13 is needed}"

"$python" -m venv "$here/python"
"$here/python/bin/python" -m pip install --quiet -c constraints.txt .

# Where bubblewrap cannot be used, students' code runs as a user who owns nothing: this keeps tests and results from it.
chmod -R go-rwx exercises
chmod go-rwx "$here/source" 2>/dev/null || true
