"""The generator, the discriminator and the parts that they are made of: plain PyTorch."""
