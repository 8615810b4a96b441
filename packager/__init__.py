"""From a master to a published track: probe, encode, mux, verify, publish."""
