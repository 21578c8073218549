"""The process: starting, stopping, environment, hardware, workers; command lines and exit statuses."""
