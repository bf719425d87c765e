"""The form of a token's plaintext, checked offline as a scanner for leaks would."""

import base64
import re
import zlib

from wire import Mismatch

DIGITS = "0123456789"
SMALL = "abcdefghijklmnopqrstuvwxyz"
ALPHABETS = {"0-9A-Za-z": DIGITS + SMALL.upper() + SMALL, "0-9a-zA-Z": DIGITS + SMALL + SMALL.upper(), "A-Za-z0-9": SMALL.upper() + SMALL + DIGITS}


def readings(plaintext, prefix):
    """Each way to read "43 base64url characters and 6 base62 characters of their CRC32" that fits; none is a mismatch."""
    found = re.fullmatch(prefix + r"([A-Za-z0-9_-]{43})([A-Za-z0-9]{6})", plaintext)
    if not found:
        raise Mismatch(f"expected {prefix} and 43 and 6 characters, {plaintext[:8]}… of {len(plaintext)} characters came")
    random, check = found.groups()
    inputs = {
        "the 43 characters": random.encode(),
        "prefix and 43 characters": (prefix + random).encode(),
        "the 32 bytes": base64.urlsafe_b64decode(random + "="),
    }
    fitting = {(what, name) for what, data in inputs.items() for name, alphabet in ALPHABETS.items() if base62(zlib.crc32(data), alphabet) == check}
    if not fitting:
        raise Mismatch(f"expected the last 6 characters to be the base62 CRC32, {check!r} came, which fits none of {list(inputs)}")
    return fitting


def base62(value, alphabet):
    """Six digits, the highest first."""
    digits = ""
    for _ in range(6):
        value, rest = divmod(value, 62)
        digits = alphabet[rest] + digits
    return digits


def well_formed(plaintexts, prefix):
    """All of them can be read in one and the same way."""
    common = set.intersection(*(readings(text, prefix) for text in plaintexts))
    if not common:
        raise Mismatch("expected one reading of the CRC32 that fits all tokens, none came")
    return common
