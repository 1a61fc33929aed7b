"""What everything else may use: images, files, seeds, errors."""
