"""Tokens: what a sign-in gave, and the places that may keep it. Nothing here talks to a provider."""

from hde.tokens.model import Resealed, Stored, Token, TokenStore

__all__ = ["Resealed", "Stored", "Token", "TokenStore"]
