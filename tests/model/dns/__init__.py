"""The cluster's DNS."""
