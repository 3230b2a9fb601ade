"""From a raw record to canonical rows: pure functions, no HTTP, no database, no clock."""
