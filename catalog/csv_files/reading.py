"""The bytes of a file as lines and records: its encoding, its separator, and where each record begins."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

#: Characters of a line, and of a record, that no CSV file has; most likely a quote was never closed.
LONGEST = 200_000
WINDOWS = "cp1252"
#: What each encoding is called on the screen; the codec leaves the mark at the beginning of the file alone.
ENCODINGS = {"utf-8": "UTF-8", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", WINDOWS: "Windows-1252"}
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))

csv.field_size_limit(LONGEST)


class Unreadable(Exception):
    """It is not what it should be; a sentence for the merchant."""


@dataclass(frozen=True)
class Record:
    #: Of its first character; the header is line 1.
    line: int
    cells: list[str]
    #: Bytes from the beginning of the file to the end of the record, and lines until there.
    end: int
    lines: int


class Detector:
    """Fed the file piece by piece, it tells the encoding."""

    def __init__(self) -> None:
        self.head = b""
        self.size = 0
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._windows = codecs.getincrementaldecoder(WINDOWS)()
        self._fits = {"utf-8": True, WINDOWS: True}
        self._has_nul = False

    def feed(self, piece: bytes) -> None:
        self.head = self.head or piece[:4096]
        self.size += len(piece)
        self._has_nul = self._has_nul or b"\0" in piece
        self._try("utf-8", self._utf8, piece)
        self._try(WINDOWS, self._windows, piece)

    def _try(self, name: str, decoder: codecs.IncrementalDecoder, piece: bytes, *, final: bool = False) -> None:
        if self._fits[name]:
            try:
                decoder.decode(piece, final)
            except UnicodeDecodeError:
                self._fits[name] = False

    def encoding(self) -> tuple[str, int]:
        """Codec, and how many bytes its mark takes. Raises Unreadable."""
        self._try("utf-8", self._utf8, b"", final=True)
        for mark, name in _MARKS:
            if self.head.startswith(mark):
                if name == "utf-8" and not self._fits[name]:
                    raise Unreadable("The file says that it is UTF-8 and is not. Save it as CSV UTF-8 again.")
                return name, len(mark)
        if self._has_nul:
            evens, odds = self.head[::2].count(0), self.head[1::2].count(0)
            if max(evens, odds) > len(self.head) // 5 and min(evens, odds) == 0:
                return ("utf-16-le" if odds else "utf-16-be"), 0
            raise Unreadable("The file has NUL bytes, so it is not text. Save the table as CSV UTF-8.")
        for name in ("utf-8", WINDOWS):
            if self._fits[name]:
                return name, 0
        raise Unreadable("The file is neither UTF-8, UTF-16 nor Windows-1252. Save the table as CSV UTF-8.")


class Pieces(io.RawIOBase):
    """A file that lies in numbered pieces of one size, read from any place."""

    def __init__(self, piece: Callable[[int], bytes], size: int, position: int) -> None:
        self._piece, self._size, self._position = piece, size, position

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        number, offset = divmod(self._position, self._size)
        found = self._piece(number)[offset : offset + len(view)]
        view[: len(found)] = found
        self._position += len(found)
        return len(found)


def records(raw: io.RawIOBase, encoding: str, separator: str, *, position: int, line: int) -> Iterator[Record]:
    """From a place where a record begins; blank lines are left out. Raises Unreadable, naming the line."""
    source = _Lines(raw, encoding, position, line)
    reader = csv.reader(source, delimiter=separator)
    while True:
        first = source.line + 1
        source.taken = 0
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            sentence = f"Line {first}: a text begins with a quote mark that is not closed."
            raise Unreadable(sentence if "limit" in str(error) else f"Line {first}: {error}.") from error
        except UnicodeDecodeError as error:
            sentence = (
                f"Line {source.line + 1} has bytes that are not {ENCODINGS[encoding]}. Save the file as CSV UTF-8."
            )
            raise Unreadable(sentence) from error
        if any(cell.strip() for cell in cells):
            if "\0" in "".join(cells):
                raise Unreadable(f"Line {first} has a NUL character. Save the table as CSV UTF-8 again.")
            yield Record(first, cells, source.position, source.line)


class _Lines:
    """Physical lines, counted in bytes: an encoding gives each text back as the bytes that it was."""

    def __init__(self, raw: io.RawIOBase, encoding: str, position: int, line: int) -> None:
        self.encoding, self.position, self.line, self.taken = encoding, position, line, 0
        self._text = io.TextIOWrapper(io.BufferedReader(raw, 65536), encoding, newline="")

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        text = self._text.readline(LONGEST + 1)
        if not text:
            raise StopIteration
        self.taken += len(text)
        if self.taken > LONGEST:
            raise csv.Error("limit")
        self.position += len(text.encode(self.encoding))
        self.line += 1
        return text


def separator_of(head: str, score: Callable[[Sequence[str]], int]) -> tuple[str, bool]:
    """The separator with which the header makes most sense, and whether the first line only names it (sep=;)."""
    first = head.lstrip("\r\n").splitlines()[0] if head.strip() else ""
    if first[:4].lower() == "sep=" and first[4:5] in SEPARATORS:
        return first[4], True
    best, most = ",", (-1, -1)
    for separator in SEPARATORS:
        try:
            cells = next(csv.reader(io.StringIO(head, newline=""), delimiter=separator), [])
        except csv.Error:
            continue
        points = (score(cells), len(cells))
        if points > most:
            best, most = separator, points
    return best, False
