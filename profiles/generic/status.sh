#!/bin/sh
# Says of a job of Slurm's whether it is running, success or failed. If Slurm does not answer, it is asked again later.
state=$(squeue --noheader --states=all --format=%T --jobs="$1" 2>&1) || case $state in
  *"Invalid job id"*) ;;
  *) state=RUNNING ;;
esac
case $state in
  PENDING | CONFIGURING | RUNNING | COMPLETING | SUSPENDED | STOPPED | SIGNALING | STAGE_OUT | RESIZING | REQUEUE*)
    echo running ;;
  COMPLETED) echo success ;;
  *) echo failed ;;
esac
