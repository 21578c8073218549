"""The work folder: its steps, locks and done marks; the images and the search space that it knows."""
