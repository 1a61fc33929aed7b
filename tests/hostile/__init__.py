"""Files that nobody let in."""
