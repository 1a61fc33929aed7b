"""The search for the default recipe: candidates, successive halving, and the comparison with the documented recipe."""
