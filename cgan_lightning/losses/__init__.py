"""Objectives of the two players: pure functions, per sample, unreduced."""
