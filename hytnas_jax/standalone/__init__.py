"""What runs on a device without this package: decoding an image, classifying it, timing models."""
