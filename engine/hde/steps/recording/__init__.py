"""Real answers made into fixtures and tests that can be shown to anyone."""
