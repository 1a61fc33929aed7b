"""Generators measured, a sweep's runs as one table, what they say, and a page that shows it."""
