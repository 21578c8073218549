"""Networks timed on this machine and on others, and the predictors fitted to them."""
