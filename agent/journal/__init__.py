"""The durable record: one SQLite file, its tables, its rows, its readers."""
