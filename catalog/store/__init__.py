"""The database: its tables, its transactions on SQLite and MariaDB, leases, and copies of it."""
