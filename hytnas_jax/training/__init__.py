"""Training loops with exact resume: of the supernet, and of a stand-alone network."""
