"""Every key and every value of every type in Redis, in each of its databases."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lifecycle.audit.canary import texts
from lifecycle.audit.report import UNNAMED, Finding, because
from lifecycle.audit.search import Search

LASTS = 120
"""Seconds after which what a probe planted goes by itself, should the probe die."""
AT_ONCE = 500


def _string(client: Any, key: bytes) -> Iterator[bytes]:
    yield client.get(key) or b""


def _list(client: Any, key: bytes) -> Iterator[bytes]:
    for start in range(0, client.llen(key), AT_ONCE):
        yield from client.lrange(key, start, start + AT_ONCE - 1)


def _hash(client: Any, key: bytes) -> Iterator[bytes]:
    for field, value in client.hscan_iter(key, count=AT_ONCE):
        yield from (field, value)


def _sorted(client: Any, key: bytes) -> Iterator[bytes]:
    for member, score in client.zscan_iter(key, count=AT_ONCE):
        yield from (member, b"%.0f" % score)  # a number may lie in a score, too


def _stream(client: Any, key: bytes) -> Iterator[bytes]:
    after = b"-"
    while entries := client.xrange(key, min=after, count=AT_ONCE):
        for _, fields in entries:
            for field, value in fields.items():
                yield from (field, value)
        after = b"(" + entries[-1][0]


READS: Mapping[bytes, Callable[[Any, bytes], Iterator[bytes]]] = {
    b"string": _string,
    b"list": _list,
    b"set": lambda client, key: client.sscan_iter(key, count=AT_ONCE),
    b"hash": _hash,
    b"zset": _sorted,
    b"stream": _stream,
}


class Keys:
    """The probe; `clients` are those of redis-py that give bytes, by what their databases are called, ours first.

    A key of ours under a name that nobody classified blocks: nobody knows what is written there next.
    """

    name = "redis"

    def __init__(self, clients: Mapping[str, Any], prefix: str, named: Callable[[str], bool] = lambda _: True) -> None:
        self._clients = clients
        self._prefix = prefix
        self._named = named

    def scan(self, search: Search) -> Finding:
        """Read every database."""
        finding = Finding(self.name, f"all keys of {len(self._clients)} databases", "keys")
        for at, (name, client) in enumerate(self._clients.items()):
            try:
                for key in _read(name, client, b"*", search, finding):
                    if at == 0 and not self._named(key):
                        finding.cannot(_place(name, search.place(key)), UNNAMED)
            except Exception as error:  # noqa: BLE001 - one that cannot be read must not hide the others
                finding.cannot(name, because(error))
        return finding

    def planted(self, search: Search) -> Finding:
        """Plant a key of each type, and a key for each needle; they go at once, or by themselves."""
        finding = Finding(self.name, "keys of its own", "keys")
        name, client = next(iter(self._clients.items()))
        mark = f"{self._prefix}:audit:{secrets.token_hex(8)}:"
        told = texts(search)
        made = [f"{mark}{each}" for each in ("string", "list", "set", "hash", "field", "zset", "stream", *told)]
        try:
            client.set(made[0], "\n".join(told))
            client.rpush(made[1], *told)
            client.sadd(made[2], *told)
            client.hset(made[3], mapping={str(at): each for at, each in enumerate(told)})
            client.hset(made[4], mapping={each: at for at, each in enumerate(told)})
            client.zadd(made[5], {each: at for at, each in enumerate(told)})
            for each in told:
                client.xadd(made[6], {"told": each})
                client.set(f"{mark}{each}", "x")
            for key in made:
                client.expire(key, LASTS)
            for place in (_names(name), *(_place(name, key) for key in made[:7])):
                finding.expect(place, search)
            for _ in _read(name, client, f"{mark}*".encode(), search, finding):
                pass
        finally:
            client.delete(*made)
        return finding


def _read(name: str, client: Any, pattern: bytes, search: Search, finding: Finding) -> Iterator[str]:
    """Note what each key and its values say; yield the keys."""
    for key in client.scan_iter(match=pattern, count=AT_ONCE):
        finding.scanned += 1
        named = key.decode("utf-8", "replace")
        yield named
        finding.note(_names(name), search.find(named))
        kind = client.type(key)
        if kind == b"none":  # it went meanwhile
            continue
        place = _place(name, search.place(named))
        if kind not in READS:
            finding.cannot(place, f"a type that nobody reads: {kind.decode()}")
            continue
        for value in READS[kind](client, key):
            finding.note(place, search.find_bytes(value))


def _names(name: str) -> str:
    return f"{name} names of keys"


def _place(name: str, key: str) -> str:
    return f"{name} {key}"
