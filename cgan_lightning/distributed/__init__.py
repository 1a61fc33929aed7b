"""Ranks: how they start, agree, fail and stop together."""
