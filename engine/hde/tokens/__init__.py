"""Tokens: what a sign-in gave, and the places that may keep it. Nothing here talks to a provider."""

from hde.tokens.model import Stored, Token, TokenStore

__all__ = ["Stored", "Token", "TokenStore"]
