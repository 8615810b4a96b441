"""What was sold: taking it durably, taking it back, and what became of it."""
