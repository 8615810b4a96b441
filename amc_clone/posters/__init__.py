"""Film posters drawn by code: SVG, each with its own composition and palette."""
