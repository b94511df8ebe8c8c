"""Hubble's events: their messages, the flow model, filters, printers and aggregation."""
