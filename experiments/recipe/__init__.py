"""Which recipe should be the default: candidates, the search among them, and the comparison with the documented one."""
