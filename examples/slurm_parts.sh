#!/usr/bin/env bash
# A study of the ranking in 8 parts, as an array of SLURM jobs without Ray.
#
#     examples/slurm_parts.sh runs/mine
#
# Run it on the login node: it submits the array, and a job that merges the parts when all have ended. The work
# folder, in which train_supernet has begun, lies on a file system that all machines share. A job that is
# preempted is queued again and goes on; the merging job trains what a lost part has left.
#SBATCH --job-name=study-part
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=study-%A-%a.log
#SBATCH --cpus-per-task=8
#SBATCH --time=24:00:00
# On GPUs: #SBATCH --gpus-per-task=1
set -euo pipefail
workdir=${1:?give the work folder}
parts=8
study=(python -m hytnas_jax.study_ranking --workdir "$workdir" --networks 40 --repeated 10 --epochs 40)

if [ -z "${SLURM_JOB_ID:-}" ]; then
    array=$(sbatch --parsable --array="1-$parts" "$0" "$workdir")
    sbatch --dependency="afterany:${array%%;*}" "$0" "$workdir"
elif [ -n "${SLURM_ARRAY_TASK_ID:-}" ]; then
    exec "${study[@]}" --part "$SLURM_ARRAY_TASK_ID/$parts"
else
    exec "${study[@]}"
fi
