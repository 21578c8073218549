"""What runs on a device without this package: timing models, classifying an image."""
