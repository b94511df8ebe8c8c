"""What changed, told by what is there now."""
