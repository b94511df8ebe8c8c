"""What the panes show, made from snapshots without any widget."""
