"""What is asked, what came back, what is known and what was found: values only, no I/O."""
