"""Into the storage, whole and switched at once."""
