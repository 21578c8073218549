"""How networks are evaluated: subnets by parts or many together, one alone; and how outputs become an
error."""
