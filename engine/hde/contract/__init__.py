"""Contract tests that every connector gets for nothing: a source on loopback that behaves as the connector's YAML says.

The source is made from the YAML and the recorded records; the engine reads it as it would read the real one. What
cannot be known from those (whether the real source behaves so) is for recorded answers to test.
"""
