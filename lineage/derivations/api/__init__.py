"""Derivations, fields, impact and claims over REST."""
