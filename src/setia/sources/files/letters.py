"""Which encoding a file's letters are in, and the same file in UTF-8."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import IO

from setia.kernel.i18n import Sentence
from setia.sources.files.errors import NotATable
from setia.sources.files.unpacking import CHUNK, Source, chunks, write

SAMPLE = 1 << 16
_MARKS = (  # The longer marks first: that of UTF-16 begins that of UTF-32.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8"),
)
_WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
_FREQUENT = {
    # The first bytes of the letters that everyday text is written in, in encodings of two bytes a letter.
    "gb18030": ("gb2312", range(0xB0, 0xD8)),
    "big5": ("big5", range(0xA4, 0xC7)),
    "cp932": ("cp932", (*range(0x82, 0x84), *range(0x88, 0x98))),
    "cp949": ("euc_kr", range(0xB0, 0xC9)),
}
_FEWEST = 8
"""Letters of two bytes that must be there before anybody believes in them."""
_FEWEST_SINGLE = 50
SHOWN = {
    "gb18030": "GB18030 (Chinese)",
    "big5": "Big5 (Chinese)",
    "cp932": "Shift-JIS (Japanese)",
    "cp949": "EUC-KR (Korean)",
    "cp1252": "Windows-1252 (Western European)",
}


def in_utf8(source: Source) -> Source:
    """The file with its letters in UTF-8; itself where they are already. Raises NotATable, DiskFull."""
    encoding = encoding_of(source)
    if encoding == "utf-8":
        return source
    target = source.new_file()
    try:
        with source.file.open("r", encoding=encoding, newline="") as text:
            write(_encoded(text), target, source.meter)
    except UnicodeError as problem:
        raise _unknown(source) from problem
    return source.become(
        target, Sentence("Its letters are read as {letters}", letters=SHOWN.get(encoding, encoding.upper()))
    )


def _encoded(text: IO[str]) -> Iterator[bytes]:
    while piece := text.read(CHUNK // 4):
        yield piece.encode("utf-8")


def encoding_of(source: Source) -> str:
    """The name of the encoding, "utf-8" also where it is UTF-8 with a few broken letters. Raises NotATable."""
    start = source.start(SAMPLE)
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    if b"\x00" in start:
        return _wide(start) or "utf-8"
    sample = _foreign(source)
    return _single_or_double(source, sample) if sample else "utf-8"


def _wide(start: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark: most letters of a table are digits, commas and the like."""
    for encoding in _WIDE:
        width = 4 if encoding.startswith("utf-32") else 2
        try:
            text = start[: len(start) // width * width].decode(encoding)
        except UnicodeDecodeError as problem:
            # The sample may end within a letter.
            if problem.start < len(start) - 4:
                continue
            text = start[: problem.start].decode(encoding)
        plain = sum("\t" <= letter <= "~" for letter in text)
        if text and "\x00" not in text and plain * 3 > len(text):
            return encoding
    return None


def _foreign(source: Source) -> bytes:
    """The first piece with letters beyond ASCII, of a file that is not wholly valid UTF-8; else nothing."""
    decoder, sample = codecs.getincrementaldecoder("utf-8")(), b""
    with source.file.open("rb") as file:
        for chunk in chunks(file):
            if not sample and not chunk.isascii():
                sample = chunk
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                return sample
    # The last letter may break off.
    return sample if decoder.getstate()[0] else b""


def _single_or_double(source: Source, sample: bytes) -> str:
    control = sum(sample.count(byte) for byte in range(32) if byte not in b"\t\r\n\f\x1b")
    if control > len(sample) // 1000:
        raise NotATable(path=source.said, problem="it holds binary data")
    decoded = sample.decode("utf-8", errors="replace")
    broken = decoded.count("\ufffd")
    if sum(not letter.isascii() for letter in decoded) > 2 * broken:
        # UTF-8 with a few broken letters: their rows are rejected, the others keep theirs.
        return "utf-8"
    first = next(at for at, byte in enumerate(sample) if byte > 127)
    # From the line the first such letter stands in, so that no letter is cut in two.
    piece = sample[sample.rfind(b"\n", 0, first) + 1 :][:SAMPLE]
    piece = piece[: piece.rfind(b"\n") + 1] or piece
    return _double(piece) or _single(piece) or _western(source, sample)


def _double(piece: bytes) -> str | None:
    """An encoding of two bytes a letter, where nearly all of the letters are frequent ones in it."""
    likely = [encoding for encoding in _FREQUENT if _share_of_frequent(piece, encoding) > 0.85]
    if len(likely) < 2:
        return likely[0] if likely else None
    import charset_normalizer

    best = charset_normalizer.from_bytes(piece, cp_isolation=likely).best()
    return best.encoding if best else likely[0]


def _share_of_frequent(piece: bytes, encoding: str) -> float:
    plain, leads = _FREQUENT[encoding]
    letters = [letter for letter in piece.decode(encoding, errors="replace") if letter > "\u2e7f"]
    if len(letters) < _FEWEST or piece.decode(encoding, errors="ignore").encode(encoding)[:-2] != piece[:-2]:
        return 0.0
    frequent = 0
    for letter in letters:
        pair = letter.encode(plain, errors="ignore")
        frequent += len(pair) == 2 and pair[0] in leads
    return frequent / len(letters)


def _single(piece: bytes) -> str | None:
    """Another encoding of one byte a letter, where the words are those of a language written in it."""
    if sum(byte > 127 for byte in piece) < _FEWEST_SINGLE:
        return None
    import charset_normalizer

    best = charset_normalizer.from_bytes(piece, threshold=0.2).best()
    if best is None or best.encoding in ("ascii", "utf_8") or best.coherence < 0.5:
        return None
    return best.encoding


def _western(source: Source, sample: bytes) -> str:
    try:
        sample.decode("cp1252")
    except UnicodeDecodeError as problem:
        raise _unknown(source) from problem
    return "cp1252"


def _unknown(source: Source) -> NotATable:
    return NotATable(
        path=source.said,
        problem="its letters are in no encoding Setia knows (UTF-8, UTF-16, UTF-32, cp1252, GB18030, Big5, Shift-JIS)",
    )
