#!/usr/bin/env bash
# All GPUs of one machine: a training uses all of them, a study gives each of its trainings one.
#
#     examples/eight_gpus.sh runs/mine path/to/images
set -euo pipefail
workdir=${1:?give the work folder} images=${2:?give the images}
# One process sees all GPUs and splits each batch over them. No flag is needed.
python -m hytnas_jax.train_supernet --workdir "$workdir" --data "$images" --batch-size 256
# Eight processes, one GPU each.
python -m hytnas_jax.study_ranking --workdir "$workdir" --networks 40 --repeated 10 --gpus-per-job 1
python -m hytnas_jax.measure_latency --workdir "$workdir"
python -m hytnas_jax.search --workdir "$workdir"
python -m hytnas_jax.retrain --workdir "$workdir" --batch-size 256
python -m hytnas_jax.export --workdir "$workdir"
python -m hytnas_jax.report --workdir "$workdir"
