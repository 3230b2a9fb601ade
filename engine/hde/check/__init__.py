"""Holds what YAML files say against each other, the canonical model and recorded records. Never asks the network."""
