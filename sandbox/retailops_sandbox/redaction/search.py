"""The search for secrets in a text, however they are written there: once in each reading of the text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from retailops_sandbox.redaction.encodings import Encoding, encodings_for, folded, origins, readings

_FEW = 32
"""The most needles that are looked for one by one, which is faster as long as they are few."""
_BLOCK = 4
"""Bytes of a block of text. A needle of at least `_LEAST` bytes has one whole block in it, wherever it is."""
_LEAST = 2 * _BLOCK - 1


class Search:
    """A search for some needles in texts, in small letters or capitals: as they are, and decoded.

    Of many needles, those are ruled out together of which the text has no block: it is cut into blocks once,
    and each is looked up among the blocks of all needles. What remains is looked for one by one.
    """

    def __init__(self, needles: Iterable[str]) -> None:
        self._originals = {folded(needle): needle for needle in needles}
        self._needles = sorted(self._originals, key=len, reverse=True)
        self._encodings = encodings_for(self._needles)
        self._by_block: dict[int, list[int]] | None = None
        self._without_block: list[int] = []

    def __bool__(self) -> bool:
        return bool(self._needles)

    def first(self, text: str) -> str | None:
        """The longest needle in the first reading of a text that holds any; None if none does."""
        for found in self._readings(text):
            return self._originals[found[0][0]]
        return None

    def rules_out(self, text: str) -> bool:
        """Whether one look shows that a text holds none of the needles: nothing in it is to be decoded."""
        if not self._needles:
            return True
        return not any(each.sign in text for each in self._encodings) and not self._within(text)

    def hits(self, text: str) -> list[tuple[int, int, str]]:
        """The start and end of each needle in a text, and the needle. They may overlap."""
        hits: list[tuple[int, int, str]] = []
        for needles, reading, undone in self._readings(text):
            starts, ends = origins(text, undone)
            reading = folded(reading)
            for needle in needles:
                at = reading.find(needle)
                while at >= 0:
                    hits.append((starts[at], ends[at + len(needle) - 1], self._originals[needle]))
                    at = reading.find(needle, at + 1)
        return hits

    def _readings(self, text: str) -> Iterable[tuple[list[str], str, Sequence[Encoding]]]:
        """The readings of a text that hold needles: the needles, the reading, and what was undone for it."""
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
            for reading, undone in readings(text, self._encodings)
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
        wanted = {
            position: [set(_blocks(_octets(self._needles[position]), start)) for start in range(_BLOCK)]
            for position in positions
        }
        known = {block for ways in wanted.values() for way in ways for block in way}
        present = known.intersection(blocks)
        return {position for position, ways in wanted.items() if any(present.issuperset(way) for way in ways)}

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
