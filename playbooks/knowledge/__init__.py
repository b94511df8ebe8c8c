"""What is known about Cilium and Kubernetes as data: files, and functions that read them."""
