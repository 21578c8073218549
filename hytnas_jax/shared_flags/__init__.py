"""What the flags of several commands may say: ranges, names, limits. Nothing here needs JAX."""
