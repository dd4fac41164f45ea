"""Part of a second verifier of dossiers, written from schemas/spec/*.md alone; see README.md beside it.

Reading a folder or a tar (dossier.md 1) and SSH signatures (dossier.md 2)."""
import base64
import io
import os
import re
import stat

from canon import *  # noqa: F403


class CannotRead(Exception):
    def __init__(self, path, what):
        super().__init__(f"{path}: {what}")
        self.path, self.what = path, what


RESERVED = {"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"} | {f"{x}{i}" for x in ("com", "lpt") for i in range(10)}


def path_problem(p):
    if len(p.encode("utf-8", "surrogateescape")) > 240:
        return "longer than 240 bytes"
    if not p or not all(0x20 <= ord(c) <= 0x7E and c not in '\\:*?"<>|%' for c in p):
        return "a character that is not allowed"
    if p.startswith("~"):
        return "starts with ~"
    parts = p.split("/")
    if len(parts) > 16:
        return "more than 16 parts"
    for s in parts:
        if s in ("", ".", ".."):
            return "an empty part, . or .."
        if s[0] == " " or s[-1] in " .":
            return "a part starts with a space, or ends with a space or dot"
        if s.split(".")[0].rstrip(" ").lower() in RESERVED:
            return "a device name of Windows"
    return None


# ---------------------------------------------------------------- sources
class Folder:
    def __init__(self, root):
        self.root, self.sizes, self.empty = root, {}, []
        count = 0
        stack = [""]
        while stack:
            rel = stack.pop()
            try:
                items = sorted(os.listdir(os.path.join(root, rel)))
            except OSError as e:
                raise CannotRead(rel or ".", str(e)) from None
            if not items and rel:
                self.empty.append(rel)
            for n in items:
                p = f"{rel}/{n}" if rel else n
                bad = path_problem(p)
                if bad:
                    raise CannotRead(ascii(p), f"path refused: {bad}")
                count += 1
                if count > 65536:
                    raise CannotRead(p, "more than 65,536 files and folders")
                st = os.lstat(os.path.join(root, p))
                if stat.S_ISDIR(st.st_mode):
                    stack.append(p)
                elif stat.S_ISREG(st.st_mode):
                    if st.st_size > 2**42:
                        raise CannotRead(p, "too large")
                    self.sizes[p] = st.st_size
                else:
                    raise CannotRead(p, "a link, device or pipe")

    def open(self, p):
        fd = os.open(os.path.join(self.root, p), os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        return os.fdopen(fd, "rb")


class Part(io.RawIOBase):
    def __init__(self, f, off, n):
        self.f, self.off, self.n = f, off, n

    def readable(self):
        return True

    def read(self, k=-1):
        k = self.n if k is None or k < 0 else min(k, self.n)
        self.f.seek(self.off)
        b = self.f.read(k)
        self.off += len(b)
        self.n -= len(b)
        return b


def octal(b, what):
    if b[:1] == b"\x80":  # GNU, from 8 GiB
        return int.from_bytes(b[1:], "big")
    if not re.fullmatch(rb"[ ]*[0-7]+[ \0]*", b):
        raise CannotRead("tar", f"{what} is no octal number")
    return int(b.strip(b" \0"), 8)


def pax(b):
    """path and size, where they are given."""
    found, i = {}, 0
    while i < len(b):
        m = re.match(rb"(\d+) ([^=]+)=", b[i:])
        if not m or int(m[1]) == 0:
            raise CannotRead("tar", "pax header")
        value = b[i:i + int(m[1])][m.end():-1]
        i += int(m[1])
        if m[2] == b"path":
            found["name"] = value.decode("ascii", "replace")
        elif m[2] == b"size":
            found["size"] = int(value)
        elif m[2] == b"linkpath" or m[2].startswith(b"GNU.sparse"):
            raise CannotRead("tar", "a link or a sparse file")
    return found


class Tar:
    """POSIX ustar, GNU long names, pax with path or size."""

    def __init__(self, path):
        self.f = open(path, "rb")
        self.end = os.fstat(self.f.fileno()).st_size
        self.where, self.empty, self.dirs, self.count = {}, [], set(), 0
        off, given = 0, {}
        while True:
            h = self.block(off)
            if h == bytes(512):
                self.tail(off)
                break
            size, kind = self.header(h, off), h[156:157]
            if kind in (b"L", b"x"):
                given |= self.extension(kind, off + 512, size)
            else:
                size = self.member(h, kind, off + 512, given.get("size", size), given.get("name"))
                given = {}
            off = self.skip(off + 512, size)
        self.strip_top()
        self.sizes = {p: v[1] for p, v in self.where.items()}
        for d in self.dirs:
            if not any(p.startswith(d + "/") for p in self.where):
                self.empty.append(d)

    def block(self, off):
        self.f.seek(off)
        b = self.f.read(512)
        if len(b) != 512:
            raise CannotRead("tar", f"ends early at byte {off}")
        return b

    def tail(self, off):
        if self.block(off + 512) != bytes(512):
            raise CannotRead("tar", f"one zero block at byte {off}")
        if self.end - off - 1024 > 1 << 20:
            raise CannotRead("tar", "more than 1 MiB after the end mark")
        self.f.seek(off + 1024)
        if self.f.read().strip(b"\0"):
            raise CannotRead("tar", "bytes after the end mark that are not zero")

    def header(self, h, off):
        """Checks the header's sum; the size that it gives."""
        s = h[148:156]
        if not (re.fullmatch(rb"[0-7]{6}\0 ", s) or re.fullmatch(rb"[0-7]{7}\0", s)):
            raise CannotRead("tar", f"spelling of the header sum at byte {off + 148}")
        if sum(h[:148]) + 256 + sum(h[156:]) != int(s.strip(b"\0 "), 8):
            raise CannotRead("tar", f"header sum at byte {off + 148}")
        if h[257:263] not in (b"ustar\0", b"ustar "):
            raise CannotRead("tar", f"no ustar at byte {off + 257}")
        return octal(h[124:136], "size")

    def extension(self, kind, at, size):
        if size > 1 << 20:
            raise CannotRead("tar", "long header")
        self.f.seek(at)
        b = self.f.read(size)
        return pax(b) if kind == b"x" else {"name": b.rstrip(b"\0").decode("ascii", "replace")}

    def member(self, h, kind, at, size, name):
        """A file or a folder; its size."""
        if name is None:
            name = h[:100].split(b"\0")[0].decode("ascii", "replace")
            pre = h[345:500].split(b"\0")[0].decode("ascii", "replace") if h[257:263] == b"ustar\0" else ""
            name = f"{pre}/{name}" if pre else name
        p = name.removeprefix("./").rstrip("/")
        self.count += 1
        if self.count > 65536:
            raise CannotRead("tar", "too many members")
        if kind not in (b"0", b"\0", b"5"):
            raise CannotRead(ascii(p), "a link, device or pipe, or sparse")
        bad = p and path_problem(p)
        if bad:
            raise CannotRead(ascii(p), f"path refused: {bad}")
        if kind == b"5":
            if p:
                self.dirs.add(p)
            return 0
        if p in self.where or not p:
            raise CannotRead(ascii(p), "twice in the tar, or without a name")
        self.where[p] = (at, size)
        return size

    def skip(self, at, size):
        """Where the next header stands; the padding before it is zero."""
        if at + size > self.end:
            raise CannotRead("tar", "ends early")
        pad = -size % 512
        self.f.seek(at + size)
        if self.f.read(pad) != bytes(pad):
            raise CannotRead("tar", f"padding at byte {at + size}")
        return at + size + pad

    def strip_top(self):
        tops = {p.split("/")[0] for p in list(self.where) + list(self.dirs)}
        if len(tops) == 1 and not any("/" not in p for p in self.where):
            t = len(next(iter(tops))) + 1
            self.where = {p[t:]: v for p, v in self.where.items()}
            self.dirs = {p[t:] for p in self.dirs if p[t:]}

    def open(self, p):
        return Part(self.f, *self.where[p])


def open_source(path):
    if os.path.isdir(path):
        return Folder(path)
    try:
        with open(path, "rb") as f:
            b = f.read(512)
    except OSError as e:
        raise CannotRead(path, str(e)) from None
    if b[:2] in (b"PK", b"\x1f\x8b") or b[:4] == b"\x28\xb5\x2f\xfd" or b[:6] in (b"\xfd7zXZ\0", b"7z\xbc\xaf\x27\x1c") or b[:3] == b"BZh":
        raise CannotRead(path, "zip or compressed")
    if b.startswith(b"age-encryption.org/"):
        raise CannotRead(path, "sealed: open it with the addressee's identity first")
    return Tar(path)


def civil(ms):
    """The date in UTC, by the Gregorian calendar, of any signed 64-bit number of milliseconds."""
    days = ms // 86_400_000 + 719_468
    era, of_era = divmod(days, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    year += era * 400 + (month <= 2)
    return f"{year:04}-{month:02}-{of_year - (153 * shifted + 2) // 5 + 1:02}"


# ---------------------------------------------------------------- SSHSIG
def sshstr(b):
    return len(b).to_bytes(4, "big") + b


def sshsig(key, sig):
    blob = b"SSHSIG" + (1).to_bytes(4, "big") + sshstr(sshstr(b"ssh-ed25519") + sshstr(key)) + sshstr(b"evidence-bundle@v1") + sshstr(b"")
    blob += sshstr(b"sha512") + sshstr(sshstr(b"ssh-ed25519") + sshstr(sig))
    t = base64.b64encode(blob).decode()
    return ("-----BEGIN SSH SIGNATURE-----\n" + "".join(t[i:i + 70] + "\n" for i in range(0, len(t), 70)) + "-----END SSH SIGNATURE-----\n").encode()


def check_sshsig(raw, message_sha512):
    """The key; Bad if it does not hold."""
    lines = raw.split(b"\n")
    need(lines[0] == b"-----BEGIN SSH SIGNATURE-----", "no armor")
    try:
        blob = base64.b64decode(b"".join(lines[1:-2]), validate=True)
    except ValueError:
        raise Bad("no base64") from None
    # everything has a fixed place: version 1, ssh-ed25519, namespace, empty, sha512
    at = 6 + 4 + 4 + 4 + 11 + 4
    key, sig = blob[at:at + 32], blob[-64:]
    need(len(key) == 32 and len(blob) > at + 64, "too short")
    again = sshsig(key, sig)
    if again != raw:
        i = next((i for i, (x, y) in enumerate(zip(again, raw)) if x != y), min(len(again), len(raw)))
        raise Bad(f"not the one accepted encoding, at byte {i}")
    signed = b"SSHSIG" + sshstr(b"evidence-bundle@v1") + sshstr(b"") + sshstr(b"sha512") + sshstr(message_sha512)
    need(ed.verify(key, signed, sig), "the signature does not hold")
    return key
