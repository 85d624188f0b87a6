"""What happens around jobs: lock, checksums of code, manifest, report, GPUs, loaded libraries."""
