#!/bin/sh
# Says of a job of Slurm's whether it is running, success or failed.
case $(squeue --noheader --states=all --format=%T --jobs="$1") in
  PENDING | CONFIGURING | RUNNING | COMPLETING | SUSPENDED | REQUEUED | RESIZING) echo running ;;
  COMPLETED) echo success ;;
  *) echo failed ;;
esac
