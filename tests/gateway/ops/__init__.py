"""The operator's parts, without a server."""
