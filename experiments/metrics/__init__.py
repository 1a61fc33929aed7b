"""The metrics of sets of images whose quality order is known."""
