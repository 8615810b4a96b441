"""The partners' signatures: verifying them, and the secrets that they are made with."""
