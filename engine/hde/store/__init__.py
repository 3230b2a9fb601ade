"""Everything Postgres. No HTTP and no YAML here."""
