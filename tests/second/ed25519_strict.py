"""Part of a second verifier of dossiers, written from schemas/spec/*.md alone; see README.md beside it.

Ed25519, strict as schemas/spec/README.md says: canonical A, R, S; no small order A or R; no cofactor."""
import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = (-121665 * pow(121666, P - 2, P)) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def dbl(p):
    a = p[0] * p[0] % P
    b = p[1] * p[1] % P
    c = 2 * p[2] * p[2] % P
    h = a + b
    e = h - (p[0] + p[1]) ** 2 % P
    g = a - b
    f = c + g
    return (e * f % P, g * h % P, f * g % P, e * h % P)


ZERO = (0, 1, 1, 0)


def decompress(b):
    """The point, or None if not canonical or not on the curve."""
    if len(b) != 32:
        return None
    y = int.from_bytes(b, "little")
    sign = y >> 255
    y &= (1 << 255) - 1
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P) % P, (P - 5) // 8, P) % P
    if v * x * x % P == u:
        pass
    elif v * x * x % P == (-u) % P:
        x = x * SQRT_M1 % P
    else:
        return None
    if x == 0 and sign:
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def compress(p):
    zi = pow(p[2], P - 2, P)
    x, y = p[0] * zi % P, p[1] * zi % P
    return (y | ((x & 1) << 255)).to_bytes(32, "little")


def small_order(p):
    q = dbl(dbl(dbl(p)))
    return q[0] % P == 0 and (q[1] - q[2]) % P == 0


_BY = 4 * pow(5, P - 2, P) % P
B = decompress(_BY.to_bytes(32, "little"))


def mul(k, p):
    r = ZERO
    for i in range(k.bit_length() - 1, -1, -1):
        r = dbl(r)
        if (k >> i) & 1:
            r = add(r, p)
    return r


def double_mul(a, p, b, q):
    pq = add(p, q)
    r = ZERO
    for i in range(max(a.bit_length(), b.bit_length()) - 1, -1, -1):
        r = dbl(r)
        x, y = (a >> i) & 1, (b >> i) & 1
        if x and y:
            r = add(r, pq)
        elif x:
            r = add(r, p)
        elif y:
            r = add(r, q)
    return r


def good_key(key):
    a = decompress(key)
    return a is not None and not small_order(a)


def verify(key, msg, sig):
    if len(key) != 32 or len(sig) != 64:
        return False
    a, r = decompress(key), decompress(sig[:32])
    s = int.from_bytes(sig[32:], "little")
    if a is None or r is None or s >= L or small_order(a) or small_order(r):
        return False
    k = int.from_bytes(hashlib.sha512(sig[:32] + key + msg).digest(), "little") % L
    neg = (P - a[0], a[1], a[2], P - a[3])
    return compress(double_mul(s, B, k, neg)) == sig[:32]


def public(seed):
    h = bytearray(hashlib.sha512(seed).digest()[:32])
    h[0] &= 248
    h[31] = (h[31] & 127) | 64
    return compress(mul(int.from_bytes(h, "little"), B))


def sign(seed, msg):
    full = hashlib.sha512(seed).digest()
    h = bytearray(full[:32])
    h[0] &= 248
    h[31] = (h[31] & 127) | 64
    a = int.from_bytes(h, "little")
    pub = compress(mul(a, B))
    r = int.from_bytes(hashlib.sha512(full[32:] + msg).digest(), "little") % L
    rb = compress(mul(r, B))
    k = int.from_bytes(hashlib.sha512(rb + pub + msg).digest(), "little") % L
    return rb + ((r + k * a) % L).to_bytes(32, "little")


if __name__ == "__main__":
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    pub = public(seed)
    assert pub.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    sig = sign(seed, b"")
    assert sig.hex().startswith("e5564300c360ac72"), sig.hex()
    assert verify(pub, b"", sig) and not verify(pub, b"x", sig)
    import time
    t = time.time()
    for _ in range(20):
        verify(pub, b"", sig)
    print("ok", (time.time() - t) / 20)
