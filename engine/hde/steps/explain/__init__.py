"""Why the canonical rows are as they are, and what an edited mapping would make of them. Writes nothing."""
