"""What an encoder makes waits in a file for its client: whole, bounded, and never longer than its reader."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from gis_service.web import spill
from gis_service.web.spill import spilled

PIECE = b"0123456789" * 100
Pieces = AsyncGenerator[bytes, None]


class Maker:
    """Makes pieces, and knows how many and whether it was ended."""

    made, ended = 0, False

    async def pieces(self, count: int, fault: Exception | None = None) -> Pieces:
        try:
            for _ in range(count):
                self.made += 1
                yield PIECE
            if fault is not None:
                raise fault
        finally:
            self.ended = True


def test_the_maker_ends_before_its_reader_reads(tmp_path: Path) -> None:
    async def trial() -> None:
        maker = Maker()
        reading = spilled(maker.pieces(500), tmp_path)
        begun = await anext(reading)
        while not maker.ended:
            await asyncio.sleep(0.01)
        assert maker.made == 500
        assert begun + b"".join([piece async for piece in reading]) == PIECE * 500

    asyncio.run(trial())
    assert list(tmp_path.iterdir()) == []


def test_the_maker_waits_where_it_is_too_far_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "AHEAD_BYTES", 20 * len(PIECE))
    monkeypatch.setattr(spill, "_PIECE", len(PIECE))

    async def trial() -> None:
        maker = Maker()
        reading = spilled(maker.pieces(500), tmp_path)
        begun = await anext(reading)
        await asyncio.sleep(0.3)
        assert maker.made < 30
        assert begun + b"".join([piece async for piece in reading]) == PIECE * 500

    asyncio.run(trial())


def test_a_fault_comes_behind_what_was_made(tmp_path: Path) -> None:
    read = bytearray()

    async def trial() -> None:
        async for piece in spilled(Maker().pieces(3, RuntimeError("torn")), tmp_path):
            read.extend(piece)

    with pytest.raises(RuntimeError, match="torn"):
        asyncio.run(trial())
    assert bytes(read) == PIECE * 3


def test_a_reader_that_leaves_ends_the_maker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "AHEAD_BYTES", len(PIECE))

    async def trial() -> None:
        maker = Maker()
        reading = spilled(maker.pieces(500), tmp_path)
        await anext(reading)
        await reading.aclose()
        assert maker.ended
        assert maker.made < 500

    asyncio.run(trial())
