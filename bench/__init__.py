"""`make bench`: what is fast and what it is beside; each figure with its peer's in the same run."""
