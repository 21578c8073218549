"""A latency predictor learnt from measured networks, and its transfer to a further device."""
