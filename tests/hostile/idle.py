"""`python -m tests.hostile.idle`: nothing beside the imports that all commands share."""
