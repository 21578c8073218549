"""Smaller search spaces: which choices keep most networks from limits, and what is left without them."""
