"""What the YAML says: read, check, freeze. No HTTP and no database here."""
