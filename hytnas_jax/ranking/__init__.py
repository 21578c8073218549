"""How well estimates rank networks: the truth by stand-alone training, and what estimates make of it."""
