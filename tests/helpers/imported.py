"""What commands import, for the process that they are forked from."""
