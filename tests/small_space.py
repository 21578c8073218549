"""The smallest space that still is convolutions, for tests where only the training counts."""

SMALL_SPACE = """
name: small
stages: [{stride: 2, width: [4, 8]}]
resolution: [8]
stem_width: 4
stem_stride: 1
head_min: 4
"""
