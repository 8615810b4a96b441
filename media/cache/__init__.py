"""A bounded copy on this machine's disk of what a far storage holds."""
