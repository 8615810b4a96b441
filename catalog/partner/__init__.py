"""The partner's own service: its API, its answers, how well it is, and its clock."""
