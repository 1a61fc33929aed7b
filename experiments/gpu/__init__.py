"""What a machine with a GPU has to show, by one command: `make gpu OUT=folder`, or `python -m experiments.gpu folder`."""
