"""The command and the console: what a person types and sees."""
