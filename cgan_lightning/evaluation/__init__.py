"""How good samples are: a feature extractor and the metrics on its features."""
