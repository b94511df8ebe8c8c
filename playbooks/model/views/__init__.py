"""Three-way views: what Kubernetes wants, the agent has and the kernel's map holds, and where they differ."""
