"""All tests and measurements for a GPU in one command: `make gpu OUT=folder`, or `python -m experiments.gpu folder`."""
