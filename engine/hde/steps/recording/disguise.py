"""Replacing identifiers so that they keep their shape and still join: a keyed permutation for every shape.

Whoever does not have the key cannot turn it back; two identifiers never become one, and none stays what it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from hashlib import blake2b

ROUNDS = 6
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"(?=.*[0-9])(?=.*[a-f])[0-9a-f]{12,}\Z|(?=.*[0-9])(?=.*[A-F])[0-9A-F]{12,}\Z")
_DIGITS, _LOWER, _UPPER = "0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_HEX_LOWER, _HEX_UPPER = "0123456789abcdef", "0123456789ABCDEF"
_VOWELS, _CONSONANTS = "aeiou", "bdfgklmnprstvz"
_OF_UUID = (14, 19)
"""Where a UUID says its version and variant."""


def identifier(text: str, key: bytes) -> str:
    """Another text of the same shape: digits stay digits, letters letters of their case, all else as it is."""
    if text.isascii() and text.isdecimal() and (text[0] != "0" or text == "0"):
        return str(whole_number(int(text), key))  # the number and its text stay the same identifier
    is_uuid = UUID.fullmatch(text) is not None
    if is_uuid or _HEX.match(text):
        digits = _HEX_UPPER if any(char in "ABCDEF" for char in text) else _HEX_LOWER
        text = text if digits == _HEX_UPPER or not is_uuid else text.lower()
        kept = _OF_UUID if is_uuid else ()
        return _reshaped(
            text, [digits if char in digits and at not in kept else "" for at, char in enumerate(text)], key
        )
    return _reshaped(text, [_alphabet(char) for char in text], key)


def whole_number(number: int, key: bytes) -> int:
    """Another number of as many digits."""
    digits = len(str(abs(number)))
    lowest = 0 if digits == 1 else 10 ** (digits - 1)
    other = lowest + shuffled(abs(number) - lowest, 10**digits - lowest, key + b"number" + str(digits).encode())
    return -other if number < 0 else other


def word(text: str, key: bytes) -> str:
    """A made-up word of the same length and case, that can be spoken; umlauts stay umlauts, digits digits."""
    for attempt in range(10):
        noise = iter(_noise(key, text.lower(), attempt, len(text)))
        made = "".join(_spoken(char, at, next(noise)) for at, char in enumerate(text))
        if made != text:
            break
    return made


def shuffled(number: int, size: int, key: bytes) -> int:
    """Where a permutation of `range(size)` without fixed points leads to: a step of one on a shuffled circle."""
    if size < 2:
        return number
    return _walk(_unfeistel, (_walk(_feistel, number, size, key) + 1) % size, size, key)


def _reshaped(text: str, alphabets: Sequence[str], key: bytes) -> str:
    size, number = 1, 0
    for char, alphabet in zip(text, alphabets, strict=True):
        if alphabet:
            size *= len(alphabet)
            number = number * len(alphabet) + alphabet.index(char)
    shape = "".join(
        alphabet[:1] + alphabet[-1:] if alphabet else char for char, alphabet in zip(text, alphabets, strict=True)
    )
    number = shuffled(number, size, key + b"text" + shape.encode())
    found: list[str] = []
    for char, alphabet in zip(reversed(text), reversed(alphabets), strict=True):
        if alphabet:
            number, at = divmod(number, len(alphabet))
            char = alphabet[at]
        found.append(char)
    return "".join(reversed(found))


def _alphabet(char: str) -> str:
    return next((one for one in (_DIGITS, _LOWER, _UPPER) if char in one), "")


def _spoken(char: str, at: int, noise: int) -> str:
    if char in _DIGITS:
        return _DIGITS[noise % 10]
    if not char.isalpha():
        return char
    if not char.isascii():
        return "Ö" if char.isupper() else "ö" if char.islower() else "文"
    letters = _CONSONANTS if at % 2 == 0 else _VOWELS
    made = letters[noise % len(letters)]
    return made.upper() if char.isupper() else made


def _noise(key: bytes, text: str, attempt: int, length: int) -> bytes:
    found = b""
    while len(found) < length:
        found += blake2b(text.encode() + bytes([attempt]) + len(found).to_bytes(4, "big"), key=_short(key)).digest()
    return found


def _walk(step: Callable[[int, int, bytes], int], number: int, size: int, key: bytes) -> int:
    """A permutation of a power of four, walked until it is back within `size`."""
    half = 1
    while 4**half < size:
        half += 1
    number = step(number, half, key)
    while number >= size:
        number = step(number, half, key)
    return number


def _feistel(number: int, half: int, key: bytes) -> int:
    left, right = number >> half, number & (1 << half) - 1
    for turn in range(ROUNDS):
        left, right = right, left ^ _mixed(right, turn, half, key)
    return left << half | right


def _unfeistel(number: int, half: int, key: bytes) -> int:
    left, right = number >> half, number & (1 << half) - 1
    for turn in reversed(range(ROUNDS)):
        left, right = right ^ _mixed(left, turn, half, key), left
    return left << half | right


def _mixed(number: int, turn: int, half: int, key: bytes) -> int:
    length = max(1, (half + 7) // 8)
    found = b""
    while len(found) < length:
        text = number.to_bytes(length, "big") + bytes([turn]) + len(found).to_bytes(4, "big")
        found += blake2b(text, key=_short(key)).digest()
    return int.from_bytes(found[:length], "big") & (1 << half) - 1


def _short(key: bytes) -> bytes:
    """Blake2 takes keys of up to 64 bytes."""
    return key if len(key) <= 64 else blake2b(key).digest()
