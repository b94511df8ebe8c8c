"""What Kubernetes wants, the agent has and the map holds, side by side for the subjects of a finding."""
