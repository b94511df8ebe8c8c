"""Kubernetes objects as facts, typed down to the fields that rules read."""
