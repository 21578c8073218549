"""Draws what a network has found into its image, with nothing but NumPy and Pillow.

Letters: D boxes, H W the pixels of a mask.
"""

import colorsys
import unicodedata
from collections.abc import Sequence

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
    image: Image.Image,
    boxes: np.ndarray,
    scores: np.ndarray | None,
    classes: np.ndarray,
    labels: Sequence[str],
) -> Image.Image:
    """The image in RGB with boxes [D, 4], each with its label and score, the best on top; or with its label
    alone, where there are no scores.

    A box is left, top, right, bottom in 0..1 of the image's sides.
    """
    drawn = image.convert("RGB")
    pen = ImageDraw.Draw(drawn)
    width, height = drawn.size
    line = max(1, round((width + height) / 350))
    for row in range(len(boxes)) if scores is None else np.argsort(scores, kind="stable"):
        left, top, right, bottom = np.rint(boxes[row] * [width, height, width, height]).astype(int).tolist()
        number = int(classes[row])
        last = max(right - 1, left), max(bottom - 1, top)
        pen.rectangle((left, top, *last), outline=class_colour(number), width=line)
        score = "" if scores is None else f" {scores[row]:.2f}"
        _tag(drawn, (left, top), f"{_caption(labels, number)}{score}", class_colour(number))
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
    blended = Image.fromarray(np.asarray(shown) // 2 + colours[mask] // 2)
    blended.paste(shown, mask=Image.fromarray(~is_drawn[mask]))
    found = [int(number) for number in np.unique(mask) if is_drawn[number]]
    return _with_legend(blended, [(_caption(labels, number), class_colour(number)) for number in found])


def _with_legend(image: Image.Image, entries: list[tuple[str, Colour]]) -> Image.Image:
    """On a canvas as wide as the image, or as the widest entry, with lines of entries below the image."""
    font = _font(image.size)
    side = sum(font.getmetrics())  # of a line, and of the square of a colour
    widths = [2 * side + round(font.getlength(text)) for text, _ in entries]
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
        pen.text((left + side * 5 // 4, top), text, fill="black", font=font)
    return canvas


def _tag(image: Image.Image, corner: tuple[int, int], text: str, colour: Colour) -> None:
    """A text on its colour above the corner of a box, or in the box where there is no room above it."""
    pen, font = ImageDraw.Draw(image), _font(image.size)
    width, height = round(font.getlength(text)) + 4, sum(font.getmetrics())
    left, top = max(0, min(corner[0], image.width - width)), corner[1]
    top = top - height if top >= height else top
    pen.rectangle((left, top, left + width - 1, top + height - 1), fill=colour)
    is_light = np.dot(colour, (0.299, 0.587, 0.114)) > 140
    pen.text((left + 2, top), text, fill="black" if is_light else "white", font=font)


def _font(size: tuple[int, int]) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(max(10, round(sum(size) / 70)))
    assert isinstance(font, ImageFont.FreeTypeFont)  # as it always is where a size is given
    return font


def _caption(labels: Sequence[str], number: int) -> str:
    """A label, or the number of the class: the font has ASCII's letters only, so accents are left out."""
    plain = unicodedata.normalize("NFKD", labels[number])
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return plain if plain.isascii() and plain.isprintable() else f"class {number}"
