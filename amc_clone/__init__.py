"""AMC-clone, the partner's simulator: sells tickets and knows nothing of Tell but its HTTP API."""
