"""The source: what it says of itself, and the one way in which every stage hears it."""
