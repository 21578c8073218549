"""Search strategies compared over finite tables, in which everything there is has been evaluated."""
