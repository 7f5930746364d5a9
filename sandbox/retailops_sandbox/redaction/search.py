"""The search for secrets in a text, however they are written there: once in each reading of the text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from retailops_sandbox.redaction.encodings import LONG, Encoding, encodings_for, folded, origins, readings

_FEW = 32
"""The most needles that are looked for one by one, which is faster as long as they are few."""
_PIECE = 256 * 1024
"""The characters of a long text that are searched at once."""
_WIDEST = 24
"""The most characters in which one is written, twice encoded: each of `\\u0041` percent-encoded, and more."""
_BLOCK = 4
"""Bytes of a block of text. A needle of at least `_LEAST` bytes has one whole block in it, wherever it is."""
_LEAST = 2 * _BLOCK - 1
_MOST_CLEAR = 256
"""The most texts that are remembered as holding nothing."""
SMALL = 4_096
"""The most characters of a text that is remembered, because the same one often comes again."""


class Search:
    """A search for some needles in texts, in small letters or capitals: as they are, and decoded.

    Of many needles, those are ruled out together of which the text has no block: it is cut into blocks once,
    and each is looked up among the blocks of all needles. What remains is looked for one by one.
    """

    def __init__(self, needles: Iterable[str]) -> None:
        self._originals = {folded(needle): needle for needle in needles}
        self._needles = sorted(self._originals, key=len, reverse=True)
        self._encodings = encodings_for(self._needles)
        self._overlap = _WIDEST * len(self._needles[0]) if self._needles else 0
        self._size = max(_PIECE, self._overlap)
        self._clear: set[str] = set()
        """The latest small texts in which nothing was found: URL, headers and answer are often the same."""
        self._by_block: dict[int, list[int]] | None = None
        self._without_block: list[int] = []
        self._all_blocks: dict[int, list[set[int]]] = {}

    def __bool__(self) -> bool:
        return bool(self._needles)

    def first(self, text: str) -> str | None:
        """The longest needle in the first reading of a text that holds any; None if none does."""
        if text in self._clear:
            return None
        for _, piece in self._pieces(text):
            for found in self._readings(piece, text):
                return self._originals[found[0][0]]
        self._remember(text)
        return None

    def rules_out(self, text: str) -> bool:
        """Whether one look shows that a text holds none of the needles: nothing in it is to be decoded."""
        if not self._needles or text in self._clear:
            return True
        if any(each.sign in text for each in self._encodings):
            return False
        if any(self._within(piece) for _, piece in self._pieces(text)):
            return False
        self._remember(text)
        return True

    def _remember(self, text: str) -> None:
        """Remember a text in which nothing was found, in any reading."""
        if len(text) <= SMALL:
            if len(self._clear) == _MOST_CLEAR:
                self._clear.clear()
            self._clear.add(text)

    def hits(self, text: str) -> Iterator[tuple[int, int, str]]:
        """The start and end of each needle in a text, and the needle. They may overlap."""
        for offset, piece in self._pieces(text):
            most = self._size if len(piece) > self._size else len(piece)
            for needles, reading, undone in self._readings(piece, text):
                starts, ends = origins(piece, undone)
                reading = folded(reading)
                for needle in needles:
                    at = reading.find(needle)
                    while at >= 0 and starts[at] < most:
                        end = ends[at + len(needle) - 1]
                        yield offset + starts[at], offset + end, self._originals[needle]
                        at = reading.find(needle, at + 1)

    def _pieces(self, text: str) -> Iterator[tuple[int, str]]:
        """A text in pieces with their offsets: other threads wait while one is searched.

        They overlap, so that what begins in the first `_size` characters of a piece ends in it, too.
        """
        if len(text) <= 2 * self._size:
            return iter(((0, text),))
        end = self._size + self._overlap
        return ((at, text[at : at + end]) for at in range(0, len(text), self._size))

    def _readings(self, text: str, whole: str) -> Iterable[tuple[list[str], str, Sequence[Encoding]]]:
        """The readings of a text that hold needles: the needles, the reading, and what was undone for it.

        The text is a piece of the whole.
        """
        if not self._needles:
            return ()
        for encoding in self._encodings:
            if encoding.sign in text:
                break
        else:  # as nearly all texts: nothing is to be undone
            needles = self._within(text)
            return ((needles, text, ()),) if needles else ()
        return (
            (needles, reading, undone)
            for reading, undone in readings(text, self._encodings, is_of_long=len(whole) > LONG)
            if (needles := self._within(reading))
        )

    def _within(self, reading: str) -> list[str]:
        """The needles, in small letters, in a reading of a text, longest first."""
        needles, reading = self._needles, folded(reading)
        if len(needles) > _FEW:
            needles = self._candidates(reading)
        return [needle for needle in needles if needle in reading]

    def _candidates(self, reading: str) -> list[str]:
        """The needles that may be in a reading, longest first."""
        if self._by_block is None:
            self._by_block = self._blocks()
        blocks = _blocks(_octets(reading), 0)
        present = self._by_block.keys() & blocks
        found = {position for block in present for position in self._by_block[block]}
        if len(found) > _FEW:
            found = self._with_all_blocks(found, blocks)
        return [self._needles[position] for position in sorted(found.union(self._without_block))]

    def _with_all_blocks(self, positions: Iterable[int], blocks: memoryview) -> set[int]:
        """The positions of those needles of which a text has every whole block, not the first alone."""
        wanted = {position: self._ways(position) for position in positions}
        known = {block for ways in wanted.values() for way in ways for block in way}
        present = known.intersection(blocks)
        return {position for position, ways in wanted.items() if any(present.issuperset(way) for way in ways)}

    def _ways(self, position: int) -> list[set[int]]:
        """The whole blocks of a needle, for each way in which a text may be cut."""
        if position not in self._all_blocks:
            octets = _octets(self._needles[position])
            self._all_blocks[position] = [set(_blocks(octets, start)) for start in range(_BLOCK)]
        return self._all_blocks[position]

    def _blocks(self) -> dict[int, list[int]]:
        """The positions of the needles by each block that may be the first whole one of them in a text."""
        found: dict[int, list[int]] = {}
        for position, needle in enumerate(self._needles):
            octets = _octets(needle)
            if len(octets) < _LEAST:
                self._without_block.append(position)
                continue
            for start in range(_BLOCK):
                found.setdefault(_blocks(octets[: start + _BLOCK], start)[0], []).append(position)
        return found


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _blocks(octets: bytes, start: int) -> memoryview:
    """The whole blocks of bytes from a position on, each as a number."""
    whole = (len(octets) - start) // _BLOCK * _BLOCK
    return memoryview(octets)[start : start + whole].cast("I")
