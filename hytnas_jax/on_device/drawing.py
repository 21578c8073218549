"""Draws what a network has found into its image, with nothing but NumPy and Pillow.

Letters: D boxes, H W the pixels of a mask.
"""

import colorsys
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]

NOT_DRAWN = "background"  # the class of that name: its pixels stay as they are
PALETTE: tuple[Colour, ...] = (
    (230, 60, 60),
    (50, 120, 230),
    (60, 180, 75),
    (245, 160, 30),
    (150, 60, 190),
    (30, 190, 200),
    (240, 90, 190),
    (150, 100, 50),
    (170, 210, 50),
    (100, 110, 130),
)


def class_colour(number: int) -> Colour:
    """Of a class by its number: the first ten are told apart best."""
    if number < len(PALETTE):
        return PALETTE[number]
    later = number - len(PALETTE)
    turn = later * 0.618034 % 1  # the golden ratio: hues as far from the earlier ones as can be
    red, green, blue = colorsys.hsv_to_rgb(turn, (0.9, 0.5, 0.7)[later % 3], (0.95, 0.9, 0.6)[later % 3])
    return round(255 * red), round(255 * green), round(255 * blue)


def draw_boxes(
    image: Image.Image, boxes: np.ndarray, scores: np.ndarray, classes: np.ndarray, labels: Sequence[str]
) -> Image.Image:
    """The image in RGB with boxes [D, 4], each with its label and score, the best on top.

    A box is left, top, right, bottom in 0..1 of the image's sides.
    """
    drawn = image.convert("RGB")
    pen = ImageDraw.Draw(drawn)
    width, height = drawn.size
    line = max(1, round((width + height) / 500))
    for row in np.argsort(scores, kind="stable"):
        left, top, right, bottom = np.rint(boxes[row] * [width, height, width, height]).astype(int).tolist()
        colour = class_colour(int(classes[row]))
        pen.rectangle((left, top, max(right - 1, left), max(bottom - 1, top)), outline=colour, width=line)
        text = f"{_caption(labels[classes[row]])} {scores[row]:.2f}"
        _tag(drawn, (left, top), text, colour)
    return drawn


def draw_mask(image: Image.Image, mask: np.ndarray, labels: Sequence[str]) -> Image.Image:
    """The image in RGB under the colours of the classes in a mask uint8 [H, W], and a legend below it.

    A mask of another size is resized. Pixels of the class "background" and of numbers without a label stay
    as they are.
    """
    shown = image.convert("RGB")
    if mask.shape != shown.size[::-1]:
        mask = np.asarray(Image.fromarray(mask).resize(shown.size, Image.Resampling.NEAREST))
    colours, is_drawn = np.zeros((256, 3), np.uint8), np.zeros(256, bool)
    for number, label in enumerate(labels):
        colours[number], is_drawn[number] = class_colour(number), label != NOT_DRAWN
    pixels = np.asarray(shown)
    blended = Image.fromarray(pixels // 2 + colours[mask] // 2)
    blended.paste(shown, mask=Image.fromarray(~is_drawn[mask]))
    found = [int(number) for number in np.unique(mask) if is_drawn[number]]
    return _with_legend(blended, [(_caption(labels[number]), class_colour(number)) for number in found])


def _with_legend(image: Image.Image, entries: list[tuple[str, Colour]]) -> Image.Image:
    """On a canvas as wide as the image, or as the widest entry, with lines of entries below the image."""
    font = _font(image.size)
    side = round(_text_size("X", font)[1] * 1.4)  # of a line, and of the square of a colour
    widths = [2 * side + round(_text_size(text, font)[0]) for text, _ in entries]
    width = max([image.width, *widths])
    places: list[tuple[int, int]] = []
    left, top = 0, image.height
    for entry in widths:
        if left + entry > width:
            left, top = 0, top + side
        places.append((left, top))
        left += entry
    canvas = Image.new("RGB", (width, top + side if entries else image.height), "white")
    canvas.paste(image)
    pen = ImageDraw.Draw(canvas)
    for (left, top), (text, colour) in zip(places, entries, strict=True):
        pen.rectangle((left + side // 4, top + side // 4, left + side, top + side - 1), fill=colour)
        pen.text((left + side * 5 // 4, top + side * 5 // 8), text, fill="black", font=font, anchor="lm")
    return canvas


def _tag(image: Image.Image, corner: tuple[int, int], text: str, colour: Colour) -> None:
    """A text on its colour above the corner of a box, or in the box where there is no room above it."""
    pen, font = ImageDraw.Draw(image), _font(image.size)
    width, height = (length + 4 for length in _text_size(text, font))
    left, top = max(0, min(corner[0], image.width - width)), corner[1]
    top = top - height if top >= height else top
    pen.rectangle((left, top, left + width - 1, top + height - 1), fill=colour)
    is_light = np.dot(colour, (0.299, 0.587, 0.114)) > 140
    pen.text((left + 2, top + 2), text, fill="black" if is_light else "white", font=font, anchor="lt")


def _font(size: tuple[int, int]) -> Any:
    return ImageFont.load_default(max(10, round(sum(size) / 70)))


def _text_size(text: str, font: Any) -> tuple[int, int]:
    left, top, right, bottom = font.getbbox(text)
    return round(right - left), round(bottom - top)


def _caption(label: str) -> str:
    """In one line, without what is no letter."""
    return "".join(letter if letter.isprintable() else "?" for letter in label)
