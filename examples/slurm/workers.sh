#!/bin/bash
# One worker for each task of the array: sbatch --array=1-16 workers.sh
#SBATCH --job-name=dialed-worker
#SBATCH --cpus-per-task=8
#SBATCH --gpus-per-task=1
#SBATCH --mem=32G
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --signal=B:TERM@60

export DIALED_STORE="${DIALED_STORE:?set it to postgresql://user@host/database}"
cd "${SLURM_SUBMIT_DIR}" || exit 1

# `exec`: the signal reaches the worker itself, which hands its work back with a checkpoint.
exec dialed worker --store "${DIALED_STORE}" --study mnist --idle 15m
