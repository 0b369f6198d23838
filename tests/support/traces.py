"""Traces of a person in bytes: every way in which a name or a number could stand somewhere, and the search for it."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

ENCODINGS = ("utf-8", "gb18030", "utf-16-le", "utf-16-be")
BETWEEN = b"\x00 \t\r\n.,_/-"
"""What stands between the groups of a number that is written to be read; NUL: every other byte of it in UTF-16."""
WIDE_SPACES = ("\u3000".encode(), "\u00a0".encode())
FULL_WIDTH = {
    **{chr(0xFF10 + digit).encode(): str(digit).encode() for digit in range(10)},
    **{wide.encode(): b"x" for wide in "Ｘｘ"},
}  # fmt: skip
BETWEEN_TWO = b" | "
"""Keeps two contents that are looked through together apart: no form of a secret has it."""
HEAP = 4_000_000
"""Bytes that are looked through together."""
WIDE = re.compile(b"|".join(FULL_WIDTH))


def forms(secret: str) -> set[bytes]:
    """Every way in which the secret could stand somewhere, in small letters; a number in groups: see `found_in`."""
    utf8 = secret.encode()
    written = {
        *(secret, secret[::-1], utf8.decode("latin-1"), quote(secret), quote(secret, safe=""), quote_plus(secret)),
        *(
            json.dumps(secret)[1:-1],
            json.dumps(secret).replace("\\", "\\\\")[1:-1],
            ascii(secret)[1:-1],
            ascii(secret)[1:-1].replace("\\", "\\\\"),
            repr(utf8)[2:-1],
        ),
        "".join(f"={byte:02X}" for byte in utf8),  # as mails are written
        *(html.escape(secret), "".join(f"&#{ord(character)};" for character in secret)),
        "".join(f"&#x{ord(character):x};" for character in secret),
    }
    kept = set()
    for spelled in spellings(secret):
        for encoding in ENCODINGS:
            encoded = spelled.encode(encoding)
            kept.add(encoded)
            written |= {encoded.hex(), *inside_base64(encoded)}
    return {form.lower() for form in {text.encode() for text in written} | kept}


def spellings(secret: str) -> Iterator[str]:
    """As it is; a number also in full width and in groups of 6, 8 and 4, a name with a space after each character."""
    yield secret
    if secret[:17].isdecimal():
        yield "".join(chr(0xFEE0 + ord(character)) for character in secret)
        for between in " -":
            yield between.join(part for part in (secret[:6], secret[6:14], secret[14:]) if part)
    elif not secret.isascii():
        for between in " \u3000":
            yield between.join(secret)


def inside_base64(secret: bytes) -> set[str]:
    """What of base64 says the secret alone, at whichever offset it stands in something longer."""
    found = set()
    for before in range(3):
        whole = base64.b64encode(bytes(before) + secret + bytes(3)).decode()
        middle = whole[(before * 8 + 5) // 6 : (before + len(secret)) * 8 // 6]
        found |= {middle, middle.replace("+", "-").replace("/", "_")}
    return found


class Traces:
    """The search for some secrets, each under a name."""

    def __init__(self, secrets: dict[str, str]) -> None:
        self.forms = {name: forms(secret) for name, secret in secrets.items()}
        self._numbers = {name: secret.lower().encode() for name, secret in secrets.items() if secret[:17].isdecimal()}

    def found_in(self, kept: bytes | str) -> list[str]:
        """Names of the secrets that stand in it, in whichever form; numbers also in any groups, wide or not."""
        where = (kept.encode("utf-8", "surrogatepass") if isinstance(kept, str) else kept).lower()
        narrow = WIDE.sub(lambda digit: FULL_WIDTH[digit[0]], where)
        for space in WIDE_SPACES:
            narrow = narrow.replace(space, b"")
        joined = narrow.translate(None, BETWEEN)
        return [
            name
            for name, written in self.forms.items()
            if any(form in where for form in written) or (name in self._numbers and self._numbers[name] in joined)
        ]

    def leaks(self, kept: Iterable[tuple[str, bytes | str]]) -> list[str]:
        """`place: name` of every secret in any of these; many small ones are looked through as one."""
        found, heap, size = set[str](), list[tuple[str, bytes]](), 0

        def look() -> None:
            if self.found_in(BETWEEN_TWO.join(content for _place, content in heap)):
                found.update(f"{place}: {name}" for place, content in heap for name in self.found_in(content))
            heap.clear()

        for place, content in kept:
            as_bytes = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
            heap.append((place, as_bytes))
            size += len(as_bytes)
            if size > HEAP:
                look()
                size = 0
        look()
        return sorted(found)


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below."""
    return ((str(path.relative_to(folder)), path.read_bytes()) for path in folder.rglob("*") if path.is_file())
