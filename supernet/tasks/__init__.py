"""What networks are trained for: one small file each."""
