"""The OpenAPI documents of Tell and AMC-clone, held against the running servers by schemathesis."""
