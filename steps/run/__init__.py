"""What happens around jobs: lock, checksums of code, manifest, report, GPUs, the process that keeps libraries loaded."""
