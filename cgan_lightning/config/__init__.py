"""From a command line to objects: where conf/ is, what its keys may be, how a mistake is answered, what is built."""
