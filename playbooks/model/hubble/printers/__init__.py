"""Prints Hubble's events as the hubble command does: text byte for byte, JSON as JSON; and as CSV."""

from playbooks.model.hubble.printers.printer import Printer, Screen, printer
from playbooks.model.hubble.printers.rows import COLUMNS

__all__ = ["COLUMNS", "Printer", "Screen", "printer"]
