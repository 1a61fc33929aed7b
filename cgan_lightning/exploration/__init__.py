"""What z and the label mean to a trained generator, as pictures and numbers: a file for each `mode=` of explore."""
