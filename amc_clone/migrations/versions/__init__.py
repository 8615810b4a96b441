"""One file for each change of the tables, oldest first. Each stands by itself and never changes."""
