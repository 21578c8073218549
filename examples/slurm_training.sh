#!/usr/bin/env bash
# A supernet on many GPUs of many machines, and then the main job, as one SLURM job.
#
#     sbatch --nodes=2 examples/slurm_training.sh runs/mine path/to/images
#
# The work folder lies on a file system with locks that all machines share. The job that is preempted, or whose
# machine is lost, is queued again and goes on from the last checkpoint, with as many GPUs as it then has.
#SBATCH --job-name=supernet
#SBATCH --ntasks-per-node=8
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=8
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=TERM@120
set -euo pipefail
workdir=${1:?give the work folder} images=${2:?give the images}
# One task for each GPU, and every task sees all GPUs of its machine.
srun --kill-on-bad-exit=1 python -m hytnas_jax.train_supernet --workdir "$workdir" --data "$images" \
    --batch-size 256 --hosts "$SLURM_NTASKS"
# Without srun this is one process.
python -m hytnas_jax.measure_latency --workdir "$workdir"
python -m hytnas_jax.search --workdir "$workdir"
srun --kill-on-bad-exit=1 python -m hytnas_jax.retrain --workdir "$workdir" --batch-size 256 --hosts "$SLURM_NTASKS"
python -m hytnas_jax.export --workdir "$workdir"
python -m hytnas_jax.report --workdir "$workdir"
