"""Evaluation of samples: a feature extractor and the metrics on its features."""
