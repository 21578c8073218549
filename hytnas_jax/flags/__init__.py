"""What flags may say: ranges, names, limits. Nothing here needs JAX."""
