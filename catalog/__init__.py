"""Movies, theaters, screenings, purchases: what was sold, and where on its time a film is."""
