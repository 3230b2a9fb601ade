"""A resource tried without storing anything: previews, and tests from recorded answers."""
