"""The pages that people see: HTML written on the server, usable by keyboard and screen reader."""
