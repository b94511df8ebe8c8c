"""From requests to a ranked report: asks a source, runs pure rules, ranks what they find."""
