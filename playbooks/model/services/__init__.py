"""What several faults of services look at: backends, who refused clients, why pods are not ready."""
