"""Estimates of accuracy, and the reference accuracies that they are compared with."""
