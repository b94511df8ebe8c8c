"""The cluster's DNS: what clients ask, who answers, how it is configured, and what the agents put between."""
