"""Signed identity assertions, with keys made for one run: RS256, ES256 and EdDSA by arithmetic alone."""

import base64
import hashlib
import hmac
import json
import secrets

PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
TWIST = -121665 * pow(121666, -1, PRIME) % PRIME
BASE_Y = 4 * pow(5, -1, PRIME) % PRIME
P256 = 2**256 - 2**224 + 2**192 + 2**96 - 1
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P256_BASE = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def b64(data):
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, size):
    """An unsigned number of so many bytes in base64url."""
    return b64(value.to_bytes(size, "big"))


class Rsa:
    """RS256 with a key of 2,048 bits."""

    name = "RS256"

    def __init__(self):
        p, q = prime(1024), prime(1024)
        self.n = p * q
        self.d = pow(65537, -1, (p - 1) * (q - 1))

    def jwk(self):
        """The public key."""
        return {"kty": "RSA", "alg": self.name, "use": "sig", "kid": "rsa", "n": number(self.n, 256), "e": "AQAB"}

    def sign(self, message):
        """PKCS #1 v1.5 over SHA-256."""
        tail = b"\0" + SHA256_INFO + hashlib.sha256(message).digest()
        block = b"\0\1" + b"\xff" * (254 - len(tail)) + tail
        return pow(int.from_bytes(block, "big"), self.d, self.n).to_bytes(256, "big")


class Ecdsa:
    """ES256."""

    name = "ES256"

    def __init__(self):
        self.d = secrets.randbelow(P256_ORDER - 1) + 1
        self.x, self.y = p256_times(self.d, P256_BASE)

    def jwk(self):
        """The public key."""
        return {"kty": "EC", "crv": "P-256", "alg": self.name, "use": "sig", "kid": "ec",
                "x": number(self.x, 32), "y": number(self.y, 32)}

    def sign(self, message):
        """r and s, each of 32 bytes."""
        digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
        k = secrets.randbelow(P256_ORDER - 1) + 1
        r = p256_times(k, P256_BASE)[0] % P256_ORDER
        s = (digest + r * self.d) * pow(k, -1, P256_ORDER) % P256_ORDER
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class Ed25519:
    """EdDSA over Curve25519."""

    name = "EdDSA"

    def __init__(self):
        half = hashlib.sha512(secrets.token_bytes(32)).digest()
        scalar = int.from_bytes(half[:32], "little")
        self.scalar = scalar & ((1 << 254) - 8) | (1 << 254)
        self.prefix = half[32:]
        self.public = edwards(self.scalar)

    def jwk(self):
        """The public key."""
        return {"kty": "OKP", "crv": "Ed25519", "alg": self.name, "use": "sig", "kid": "ed", "x": b64(self.public)}

    def sign(self, message):
        """R and S of RFC 8032."""
        r = int.from_bytes(hashlib.sha512(self.prefix + message).digest(), "little") % ORDER
        point = edwards(r)
        k = int.from_bytes(hashlib.sha512(point + self.public + message).digest(), "little") % ORDER
        return point + ((r + k * self.scalar) % ORDER).to_bytes(32, "little")


def prime(bits):
    """A random prime of so many bits, with its two highest bits set."""
    while True:
        candidate = secrets.randbits(bits) | 3 << (bits - 2) | 1
        if candidate % 65537 != 1 and all(candidate % p for p in (3, 5, 7, 11, 13, 17, 19, 23)) and probably_prime(candidate):
            return candidate


def probably_prime(candidate):
    """Miller and Rabin, sixteen rounds."""
    odd, twos = candidate - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(16):
        x = pow(secrets.randbelow(candidate - 3) + 2, odd, candidate)
        if x in (1, candidate - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % candidate
            if x == candidate - 1:
                break
        else:
            return False
    return True


def p256_add(a, b):
    """The sum of two points; None is the point at infinity."""
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P256 == 0:
        return None
    slope = (3 * a[0] ** 2 - 3) * pow(2 * a[1], -1, P256) if a == b else (b[1] - a[1]) * pow(b[0] - a[0], -1, P256)
    x = (slope * slope - a[0] - b[0]) % P256
    return x, (slope * (a[0] - x) - a[1]) % P256


def p256_times(k, point):
    """A multiple of a point."""
    total = None
    while k:
        total = p256_add(total, point) if k & 1 else total
        point, k = p256_add(point, point), k >> 1
    return total


def edwards(k):
    """A multiple of the base point, in 32 bytes."""
    xx = (BASE_Y * BASE_Y - 1) * pow(TWIST * BASE_Y * BASE_Y + 1, -1, PRIME) % PRIME
    x = pow(xx, (PRIME + 3) // 8, PRIME)
    if (x * x - xx) % PRIME:
        x = x * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    point, total = (min(x, PRIME - x) if min(x, PRIME - x) % 2 == 0 else max(x, PRIME - x), BASE_Y), (0, 1)
    while k:
        total = edwards_add(total, point) if k & 1 else total
        point, k = edwards_add(point, point), k >> 1
    return (total[1] | (total[0] & 1) << 255).to_bytes(32, "little")


def edwards_add(a, b):
    """The sum of two points."""
    m = TWIST * a[0] * b[0] * a[1] * b[1] % PRIME
    return (
        (a[0] * b[1] + b[0] * a[1]) * pow(1 + m, -1, PRIME) % PRIME,
        (a[1] * b[1] + a[0] * b[0]) * pow(1 - m, -1, PRIME) % PRIME,
    )


def assertion(key, claims, header=None):
    """A JWT: claims of None are left out."""
    head = {"alg": key.name, "typ": "JWT", "kid": key.jwk()["kid"], **(header or {})}
    kept = {name: value for name, value in claims.items() if value is not None}
    message = (b64(json.dumps(head).encode()) + "." + b64(json.dumps(kept).encode())).encode()
    return message.decode() + "." + b64(key.sign(message))


def unsigned(claims):
    """A JWT of algorithm `none`."""
    return b64(b'{"alg":"none","typ":"JWT"}') + "." + b64(json.dumps(claims).encode()) + "."


def with_hmac(key, claims):
    """HS256 with the public key as its secret: the oldest trick."""
    head = b64(json.dumps({"alg": "HS256", "typ": "JWT", "kid": key.jwk()["kid"]}).encode())
    message = (head + "." + b64(json.dumps(claims).encode())).encode()
    return message.decode() + "." + b64(hmac.new(json.dumps(key.jwk()).encode(), message, "sha256").digest())
