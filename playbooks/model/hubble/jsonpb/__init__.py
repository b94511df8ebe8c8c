"""Hubble's JSON: messages as lines and lines as messages, with the names that the .proto files have."""

from playbooks.model.hubble.jsonpb.reading import Reader, Unreadable
from playbooks.model.hubble.jsonpb.writing import Writer, time_text, writer_of

__all__ = ["Reader", "Unreadable", "Writer", "time_text", "writer_of"]
