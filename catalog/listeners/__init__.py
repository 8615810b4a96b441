"""Who may listen, what she is told, and how she is forgotten."""
