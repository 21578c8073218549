"""The efficiency study: what networks, operations and hyperparameters cost on devices."""
