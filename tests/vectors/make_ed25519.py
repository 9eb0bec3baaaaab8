#!/usr/bin/env python3
"""Writes ed25519.wycheproof.json: Ed25519 cases in the format of Project Wycheproof's eddsa_verify_schema.

Ed25519 is written out here from RFC 8032 with Python's integers, so that the cases do not come from the library that
they are to check. They are deterministic: running this again changes nothing.
"""
import hashlib
import json

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(a, b):
    k = D * a[0] * b[0] * a[1] * b[1] % P
    return ((a[0] * b[1] + b[0] * a[1]) * pow(1 + k, -1, P) % P, (a[1] * b[1] + a[0] * b[0]) * pow(1 - k, -1, P) % P)


def multiply(n, point):
    result = (0, 1)
    while n:
        if n & 1:
            result = add(result, point)
        point, n = add(point, point), n >> 1
    return result


def decode(data):
    y = int.from_bytes(data, "little") & (2**255 - 1)
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert (x * x - x2) % P == 0, "not on the curve"
    return (P - x if x & 1 != data[31] >> 7 else x, y % P)


def encode(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def le(n, size=32):
    return n.to_bytes(size, "little")


BASE = decode(le(4 * pow(5, -1, P) % P))
ORDER_8 = decode(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))


def challenge(r, a, msg):
    return int.from_bytes(hashlib.sha512(r + a + msg).digest(), "little") % L


class Key:
    def __init__(self, name):
        h = hashlib.sha512(hashlib.sha256(name).digest()).digest()
        self.scalar = int.from_bytes(h[:32], "little") & ((1 << 254) - 8) | 1 << 254
        self.prefix = h[32:]
        self.public = encode(multiply(self.scalar, BASE))

    def sign(self, msg):
        r = int.from_bytes(hashlib.sha512(self.prefix + msg).digest(), "little") % L
        big_r = encode(multiply(r, BASE))
        return big_r + le((r + challenge(big_r, self.public, msg) * self.scalar) % L)

    def sign_with_r(self, msg, big_r):
        """S for a nonce of zero: fits R wherever only the torsion of R is overlooked."""
        return big_r + le(challenge(big_r, self.public, msg) * self.scalar % L)


groups = []
count = 0


def group(public, cases):
    global count
    tests = []
    for comment, flag, msg, sig, result in cases:
        count += 1
        tests.append({"tcId": count, "comment": comment, "flags": [flag], "msg": msg.hex(), "sig": sig.hex(),
                      "result": result})
    groups.append({"type": "EddsaVerify",
                   "publicKey": {"type": "EDDSAPublicKey", "curve": "edwards25519", "keySize": 255, "pk": public.hex()},
                   "tests": tests})


def flip(data, bit):
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def ordinary_cases(key, other):
    for msg in (b"", b"\0", b"profiled", bytes(range(256)), b"x" * 1023):
        yield f"{len(msg)} bytes", "Valid", msg, key.sign(msg), "valid"
    msg = b"the quick brown fox"
    sig = key.sign(msg)
    s = int.from_bytes(sig[32:], "little")
    yield "nothing changed", "Valid", msg, sig, "valid"
    for bit in (0, 1, 100, 254, 255, 256, 257, 400, 507, 508, 509, 510, 511):
        yield f"bit {bit} of the signature flipped", "InvalidSignature", msg, flip(sig, bit), "invalid"
    for bit in (0, 77, len(msg) * 8 - 1):
        yield f"bit {bit} of the message flipped", "InvalidSignature", flip(msg, bit), sig, "invalid"
    yield "another message", "InvalidSignature", b"", sig, "invalid"
    yield "a message longer by a NUL", "InvalidSignature", msg + b"\0", sig, "invalid"
    yield "a message cut short", "InvalidSignature", msg[:-1], sig, "invalid"
    yield "another key's signature", "InvalidSignature", msg, other.sign(msg), "invalid"
    yield "R and S exchanged", "InvalidSignature", msg, sig[32:] + sig[:32], "invalid"
    for times in range(1, 15):
        if s + times * L < 2**256:
            yield f"S + {times} L", "SignatureMalleability", msg, sig[:32] + le(s + times * L), "invalid"
    yield "S negated", "InvalidSignature", msg, sig[:32] + le(L - s), "invalid"
    for name, value in (("0", 0), ("1", 1), ("L - 1", L - 1), ("L", L), ("L + 1", L + 1), ("2^252", 2**252),
                        ("2^255 - 1", 2**255 - 1), ("2^256 - 1", 2**256 - 1)):
        yield f"S = {name}", "InvalidSignature", msg, sig[:32] + le(value), "invalid"
    for size in (0, 1, 31, 32, 33, 62, 63):
        yield f"cut to {size} bytes", "TruncatedSignature", msg, sig[:size], "invalid"
    yield "first byte lost", "TruncatedSignature", msg, sig[1:], "invalid"
    yield "a NUL behind it", "SignatureWithGarbage", msg, sig + b"\0", "invalid"
    yield "a NUL before it", "SignatureWithGarbage", msg, b"\0" + sig, "invalid"
    yield "twice", "SignatureWithGarbage", msg, sig + sig, "invalid"
    yield "all zero", "InvalidSignature", msg, bytes(64), "invalid"


def small_r_cases(key):
    msg = b"an R of small order"
    for i in range(8):
        yield (f"R is {i} times the point of order 8, S fits it as far as torsion is overlooked", "InvalidEncoding", msg,
               key.sign_with_r(msg, encode(multiply(i, ORDER_8))), "invalid")
    yield "R is the identity with y = p + 1", "InvalidEncoding", msg, key.sign_with_r(msg, le(P + 1)), "invalid"
    yield "R is y = p", "InvalidEncoding", msg, key.sign_with_r(msg, le(P)), "invalid"
    yield ("R is the identity with its sign bit set", "InvalidEncoding", msg,
           key.sign_with_r(msg, le(1 | 1 << 255)), "invalid")


def small_key_cases(public):
    """Anybody can sign for a key of small order, once the challenge is a multiple of that order."""
    big_r = encode(multiply(5, BASE))
    msg = next(m for m in (f"message {i}".encode() for i in range(1000)) if challenge(big_r, public, m) % 8 == 0)
    yield "fits for anybody", "SmallOrderKey", msg, big_r + le(5), "invalid"
    yield "all zero but R", "SmallOrderKey", msg, le(1) + bytes(32), "invalid"


first, second = Key(b"profiled test key 1"), Key(b"profiled test key 2")
group(first.public, ordinary_cases(first, second))
group(second.public, [("the other key", "Valid", b"abc", second.sign(b"abc"), "valid"),
                      ("the first key's signature", "InvalidSignature", b"abc", first.sign(b"abc"), "invalid")])
group(first.public, small_r_cases(first))
for torsion in range(8):
    group(encode(multiply(torsion, ORDER_8)), small_key_cases(encode(multiply(torsion, ORDER_8))))
for odd in (P, P + 1, P | 1 << 255, P + 1 | 1 << 255, 1 | 1 << 255, P - 1 | 1 << 255):
    group(le(odd), small_key_cases(le(odd)))
group(le(2), [("not a point of the curve", "InvalidKey", b"abc", first.sign(b"abc"), "invalid")])

with open(__file__.replace("make_ed25519.py", "ed25519.wycheproof.json"), "w", encoding="ascii") as file:
    json.dump({"algorithm": "EDDSA", "schema": "eddsa_verify_schema_v1.json", "numberOfTests": count,
               "header": ["Written by make_ed25519.py beside this file"], "testGroups": groups}, file, indent=1)
    file.write("\n")
