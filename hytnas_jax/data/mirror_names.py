"""What names say about mirrored images: whether a class, mirrored, is another class or none.

A class called "turn_left" shows the other side once it is mirrored; a digit or a letter shows none.
"""

import re
import unicodedata
from collections.abc import Sequence

# Pairs of words that a mirror exchanges. One of the first list is enough; those of the second mean much else,
# so that both have to be there: "facing_west" beside "facing_east".
_SIDES = (
    *(("left", "right"), ("links", "rechts"), ("gauche", "droite"), ("izquierda", "derecha")),
    *(("sinistra", "destra"), ("esquerda", "direita"), ("lewo", "prawo"), ("vlevo", "vpravo")),
    *(("vänster", "höger"), ("venstre", "højre"), ("venstre", "høyre"), ("vasen", "oikea")),
    *(("влево", "вправо"), ("левый", "правый"), ("左", "右"), ("왼쪽", "오른쪽")),
    *(("clockwise", "counterclockwise"), ("clockwise", "anticlockwise")),
)
_PAIRS = (*_SIDES, ("cw", "ccw"), ("east", "west"), ("ost", "west"), ("ne", "nw"), ("se", "sw"))
_SIDE_WORDS = {word for pair in _SIDES for word in pair} | {"arrow", "arrows"}

_NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# What stands beside a character in the name of a class: "digit_3", "upper_A".
_FILLERS = {
    *("digit", "number", "num", "letter", "char", "character", "symbol", "glyph", "upper", "lower"),
    *("capital", "small", "uppercase", "lowercase", "caps", "cap"),
}
# A class of nothing but such words is writing.
_WRITING = {
    *("text", "ocr", "word", "words", "letter", "letters", "digit", "digits", "character", "characters"),
    *("handwriting", "handwritten", "printed", "print", "writing", "script", "no", "not", "non", "with"),
    *("without", "number", "numbers", "numeral", "numerals", "licence", "license", "plate", "captcha"),
}
_OF_WRITING = {"text", "ocr", "digits", "letters", "handwriting", "handwritten", "captcha", "numerals"}

# Words in the name of a data set.
_DATA_SETS = {
    *("mnist", "emnist", "kmnist", "qmnist", "svhn", "usps", "omniglot", "cmaterdb", "gtsrb", "chars"),
    *("digits", "letters", "ocr", "captcha", "alphabet", "handwriting", "arrows"),
}


def reason_in_names(data_set: str, class_names: Sequence[str]) -> str | None:
    """Why mirrored images would be of another class or of none, going by names; None where nothing says so.

    data_set is the name of a data set, such as "emnist/letters", of a folder or of a file.
    """
    for name in class_names:
        if _names_a_side(name):
            return f"class '{name}' names a side or a direction"
    swapped = _swapped(class_names)
    if swapped is not None:
        return f"classes '{swapped[0]}' and '{swapped[1]}' are each other's mirror image"
    for name in class_names:
        words = set(_words(name))
        if words & _OF_WRITING and words <= _WRITING:
            return f"class '{name}' is writing"
        if {"speed", "limit"} <= words:
            return f"class '{name}' is a sign with writing"
    return _reason_of_all(class_names) or _reason_in_data_set(data_set)


def _names_a_side(name: str) -> bool:
    words = _words(name)
    # Scripts without spaces between words: the word may stand anywhere.
    return bool(_SIDE_WORDS & set(words)) or any(w in name for w in _SIDE_WORDS if not w.isascii())


def _swapped(class_names: Sequence[str]) -> tuple[str, str] | None:
    """Two classes whose names differ in words that a mirror exchanges."""
    by_words = {tuple(_words(name)): name for name in class_names}
    whole = {"".join(words): name for words, name in by_words.items()}  # "turnleft"
    for words, name in by_words.items():
        for first, second in _PAIRS:
            other = by_words.get(tuple(second if word == first else word for word in words))
            text = "".join(words)
            if other == name and len(first) > 3 and first in text:
                other = whole.get(text.replace(first, second))
            if other is not None and other != name:
                return name, other
        letters = {x: by_words.get(tuple(x if word == "l" else word for word in words)) for x in "abdr"}
        if "l" in words and letters["r"] is not None and not any(letters[x] for x in "abd"):  # no alphabet
            return name, letters["r"]
    return None


def _reason_of_all(class_names: Sequence[str]) -> str | None:
    """What at least half of the classes say together."""
    characters = [_character(name) for name in class_names]
    found = {character for character in characters if character is not None}
    if found == set("0123456789") and None not in characters:
        return "classes are called 0 to 9, as digits are"
    is_writing = any(not name.strip().isdecimal() for name in class_names)  # 0 and 1 may be no and yes
    if is_writing and len(found) >= 2 and 2 * sum(c is not None for c in characters) >= len(class_names):
        return f"classes are called by single characters, such as {', '.join(sorted(found)[:3])}"
    signs = [name for name in class_names if {"sign", "signs"} & set(_words(name))]
    if signs and 2 * len(signs) >= len(class_names):
        return f"classes such as '{signs[0]}' are signs"
    return None


def _reason_in_data_set(name: str) -> str | None:
    words = set(_words(name))
    is_of_signs = bool({"sign", "signs"} & words) and bool({"traffic", "road", "street"} & words)
    if is_of_signs or (words & _DATA_SETS and "fashion" not in words):
        return f"the data set's name, '{name}', is that of writing or signs"
    return None


def _character(name: str) -> str | None:
    """The letter or digit that a class is called by, alone or beside fillers and its own word ("3_three")."""
    words = [word for word in _words(name, case=True) if word.lower() not in _FILLERS]
    numbers = {str(_NUMBER_WORDS.index(w.lower())) if w.lower() in _NUMBER_WORDS else w for w in words}
    character = numbers.pop() if len(numbers) == 1 else ""
    if len(character) != 1 or not (character.isdecimal() or character.isalpha()):
        return None
    # Not a word that is a single sign, as in Chinese.
    return character if character.isdecimal() or "LETTER" in unicodedata.name(character, "") else None


def _words(name: str, *, case: bool = False) -> list[str]:
    """ "TurnLeft-2" as turn, left, 2."""
    name = unicodedata.normalize("NFC", name)
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])", " ", name)
    words = re.findall(r"[^\W_]+", spaced)
    return words if case else [word.lower() for word in words]
