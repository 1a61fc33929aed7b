"""Transfer to a new class with few examples: a comparison of runs."""
