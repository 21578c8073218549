"""One reader for each place that images come from."""
