"""How subnets are evaluated: one after the other by parts, or many together."""
