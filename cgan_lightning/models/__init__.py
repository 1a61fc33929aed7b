"""Networks, the prior of z, and the file format of a trained generator."""
