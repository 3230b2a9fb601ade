"""hde, the health data engine: connectors (YAML) bring records in, mappings (YAML) say what they mean."""

__version__ = "0.1.0"
