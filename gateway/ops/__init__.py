"""What an operator sees of a running Tell, and what she may do there."""
