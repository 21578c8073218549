#!/usr/bin/env bash
# What was never measured on a GPU, in three calls of at most nine minutes each:
#
#   benchmarks/on_gpu.sh CALL [flags of python -m benchmarks.on_gpu]     CALL: 1, 2, 3, or all
#
# It needs no network. Wheels of what the machine lacks are installed from the folder WHEELS (wheels), where there is
# one, into runs/on_gpu_packages, where a later call finds them. PYTHON names another Python than python3.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
call=${1:?"which call: 1, 2, 3, or all"}
python=${PYTHON:-python3} wheels=${WHEELS:-wheels} packages=$PWD/runs/on_gpu_packages
if compgen -G "$wheels/*.whl" >/dev/null; then
    "$python" -m pip install --quiet --no-index --no-deps --no-compile --upgrade --target "$packages" "$wheels"/*.whl
fi
export PYTHONPATH=$PWD:$packages${PYTHONPATH:+:$PYTHONPATH} PYTHONUNBUFFERED=1
"$python" -m benchmarks.on_gpu.packages
exec "$python" -m benchmarks.on_gpu --call "$call" "${@:2}"
