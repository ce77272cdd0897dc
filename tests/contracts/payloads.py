"""What may be asked of the engine, as it was last released: tests/contracts/payloads.json.

Jobs of an older release wait in the ledger while a new one starts, and the web tier enqueues with the payloads that it
knows. So a kind or a field that is there stays, and a new field is optional. After a change that keeps to this:

    python -m tests.contracts.payloads

It refuses what would break an old job or an old caller. Where that is meant (no job of the kind is open any more, and
no caller enqueues it), say so with --break, and the diff of the file tells the reviewer.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jobs.registry import load
from ledger.contract import row

GOLDEN = Path(__file__).with_name("payloads.json")
Contract = dict[str, dict[str, Any]]


def current() -> Contract:
    """Return each kind with its fields and terms, as the program has them now."""
    told = {job.kind: {**row(job), "vendors": list(job.payload.terms.vendors)} for job in load()}
    return {
        kind: {name: value for name, value in told[kind].items() if name not in ("kind", "about")}
        for kind in sorted(told)
    }


def released() -> Contract:
    """Return them as they were last written down."""
    contract: Contract = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return contract


def breaks(old: Contract, new: Contract) -> Iterator[str]:
    """Yield what an old job or an old caller would trip over."""
    for kind, was in old.items():
        if kind not in new:
            yield f"{kind}: the kind is gone"
            continue
        fields, known = new[kind]["fields"], was["fields"]
        for name, spec in known.items():
            if name not in fields:
                yield f"{kind}.{name}: the field is gone"
            elif fields[name]["type"] != spec["type"]:
                yield f"{kind}.{name}: was a {spec['type']}, is a {fields[name]['type']}"
            elif gone := set(spec.get("codes", [])) - set(fields[name].get("codes", [])):
                yield f"{kind}.{name}: no longer takes {', '.join(sorted(gone))}"
        for name, spec in fields.items():
            if spec["required"] and not known.get(name, {}).get("required"):
                yield f"{kind}.{name}: is required, and was not"


def written(contract: Contract) -> str:
    """Return a contract as the file holds it."""
    return json.dumps(contract, indent=2, sort_keys=True) + "\n"


def main(arguments: list[str]) -> int:
    """Write the file anew; returns the exit status."""
    broken = list(breaks(released(), current())) if GOLDEN.exists() else []
    if broken and "--break" not in arguments:
        print("\n".join([*broken, "Nothing was written; --break writes it all the same."]), file=sys.stderr)
        return 1
    GOLDEN.write_text(written(current()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
