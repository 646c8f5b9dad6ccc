#!/bin/bash
# Decides which trials to train, and trains none itself. Submit once; submit again if it ended before the search did.
#SBATCH --job-name=dialed-driver
#SBATCH --cpus-per-task=1
#SBATCH --mem=4G
#SBATCH --time=24:00:00
#SBATCH --signal=B:TERM@60

export DIALED_STORE="${DIALED_STORE:?set it to postgresql://user@host/database}"
cd "${SLURM_SUBMIT_DIR}" || exit 1

exec dialed run train.py:build_model --name mnist --max-trials 500 --epochs 20 --workers 0 --store "${DIALED_STORE}"
