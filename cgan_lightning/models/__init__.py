"""Networks, the prior of z, and the file that a trained generator is kept in."""
