"""May kube-proxy go: what would break without it, node by node."""
