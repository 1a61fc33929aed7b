"""From a command line to objects: the schema and its checks, composing configs, error messages, and building objects."""
