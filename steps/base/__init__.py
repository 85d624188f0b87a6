"""What all rooms stand on: errors, files, parameters and their spelling, the folders that are registries."""
