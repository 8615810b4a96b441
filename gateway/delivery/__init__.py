"""The hot path: who may listen, in memory, and segments that cost next to nothing."""
