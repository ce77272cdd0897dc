"""What was sent to the error tracker: envelopes as they were captured, headers and items alike, packed or plain."""

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from lifecycle.audit.files import GZIP, Files


class Envelopes(Files):
    """The probe; a folder stands for all envelopes in it."""

    def __init__(self, paths: Sequence[Any]) -> None:
        super().__init__(paths, "sentry")

    def pieces(self, data: Iterator[bytes]) -> Iterator[bytes]:
        """Yield an envelope as it is, and once more with what JSON and compression hide."""
        whole = b"".join(data)
        yield whole
        for line in whole.split(b"\n"):
            yield from _opened(line)
        at = whole.find(GZIP)  # an item may be packed by itself
        while at >= 0:
            with suppress(zlib.error):  # the same two bytes may stand anywhere
                yield zlib.decompressobj(31).decompress(whole[at:])
            at = whole.find(GZIP, at + 2)

    def written(self, told: Sequence[str]) -> bytes:
        """Return an envelope with one event, and one item that is packed."""
        half = len(told) // 2
        event = json.dumps({"exception": {"values": [{"value": each} for each in told[:half]]}}).encode()
        packed = gzip.compress("\n".join(told[half:]).encode())
        head = json.dumps({"type": "attachment", "length": len(packed)}).encode()
        return b"\n".join((b'{"event_id":"0"}', b'{"type":"event"}', event, head, packed))


def _opened(line: bytes) -> Iterator[bytes]:
    try:
        yield json.dumps(json.loads(line), ensure_ascii=False).encode()
    except ValueError:
        return
