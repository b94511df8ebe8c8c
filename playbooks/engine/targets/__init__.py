"""What a person names: parsed, and resolved to pods, services and addresses of the cluster."""
