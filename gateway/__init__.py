"""Tell at the HTTP edge: routes, middleware, tokens at the door, and the listener's web app."""
