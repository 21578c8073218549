#!/usr/bin/env bash
# A study of the ranking on a Ray cluster of its own, which lives as long as this SLURM job.
#
#     sbatch --nodes=4 examples/ray_cluster.sh runs/mine
#
# Every machine has the package with Ray (pip install 'hytnas_jax[ray]') and sees the work folder at the same path.
# On a cluster that is up already only the last command is needed, on one of its machines, with --address auto.
#SBATCH --job-name=study-on-ray
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --time=24:00:00
# On GPUs: #SBATCH --gpus-per-task=8, and --gpus-per-job 1 behind the last command
set -euo pipefail
workdir=${1:?give the work folder}
head=$(hostname)
port=${RAY_PORT:-6379}
export RAY_AUTH_MODE=token  # all read ~/.ray/auth_token
ray get-auth-token --generate > /dev/null

srun --nodes=1 --ntasks=1 --nodelist="$head" \
    ray start --head --port="$port" --num-cpus="$SLURM_CPUS_PER_TASK" --include-dashboard=false --block &
until ray status --address="$head:$port" > /dev/null 2>&1; do sleep 2; done
if [ "$SLURM_JOB_NUM_NODES" -gt 1 ]; then
    srun --nodes=$((SLURM_JOB_NUM_NODES - 1)) --ntasks=$((SLURM_JOB_NUM_NODES - 1)) --exclude="$head" \
        ray start --address="$head:$port" --num-cpus="$SLURM_CPUS_PER_TASK" --block &
fi

python -m hytnas_jax.study_ranking --workdir "$workdir" --networks 40 --repeated 10 --epochs 40 \
    --executor ray --address "$head:$port" --cores-per-job 4
