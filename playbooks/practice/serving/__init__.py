"""The world over the real protocols: a Kubernetes API on loopback."""

from playbooks.practice.serving.recording import Recorded
from playbooks.practice.serving.running import Serving, serve

__all__ = ["Recorded", "Serving", "serve"]
