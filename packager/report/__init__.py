"""The HTML report of a track: what was measured, what was found, and players to hear it."""
