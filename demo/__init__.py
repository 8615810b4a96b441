"""`make demo`: the first showing on one machine, and its proof."""
