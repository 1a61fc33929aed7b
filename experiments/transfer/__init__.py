"""What the metrics say of sets whose order is known."""
