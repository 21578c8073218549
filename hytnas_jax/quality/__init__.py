"""How good found boxes and masks are, exactly: what is told of a network in the end. NumPy in, numbers
out."""
