"""The HTTP API at /v1: a business's own servers enqueue jobs and ask how they stand, with a key and nothing else."""
