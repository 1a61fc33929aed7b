"""How good a generator is: plain PyTorch functions of features, and the classifier that gives them."""
