"""What a job made."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Made:
    """A document that a job made; jobs keep it gzipped."""

    name: str
    media_type: str
    body: bytes

    def packed(self) -> Made:
        """The same with its bytes gzipped, which are always the same."""
        return replace(self, body=gzip.compress(self.body, 6, mtime=0))
