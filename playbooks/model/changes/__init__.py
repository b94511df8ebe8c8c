"""What changed in a cluster, told by what it shows now: no earlier recording is needed."""
