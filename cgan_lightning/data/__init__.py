"""Fashion-MNIST: from files to shuffled, normalised batches on the training device."""
