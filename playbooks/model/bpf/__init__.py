"""BPF maps as facts: what the kernel holds, folded while it streams where it is large."""
