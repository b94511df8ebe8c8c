"""What an agent tells of the things it keeps: endpoints, identities, services, policies, tables, counters."""
