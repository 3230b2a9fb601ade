"""Drafts the files of a new source: from one answer of it, or from an OpenAPI document. Never asks the network.

What was guessed is marked `# guessed:`, what an author must look at `# look:`; both are comments in the files.
"""
