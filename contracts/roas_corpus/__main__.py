"""Writes the corpus: `python -m roas_corpus` (with --check: only compares).

What each case expects is stated in the *_cases.py by how its bytes are made;
no decoder of ours is asked.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from roas_corpus import (
    body_cases,
    other_topic_cases,
    resolution_cases,
    rule_cases,
    version_cases,
)
from roas_corpus.cases import Cases
from roas_corpus.records import TOPIC_IDS, VERSION_2_IDS, inline_schemas

HERE = Path(__file__).resolve().parent.parent / "corpus"


def files() -> dict[str, str]:
    """The corpus' files: name and text."""
    events, others = Cases(), Cases()
    rule_cases.add(events)
    body_cases.add(events)
    resolution_cases.add(events)
    version_cases.add(events)
    other_topic_cases.add(others)
    schemas: dict[str, Any] = {
        str(schema_id): {"subject": f"{topic}-value", "topic": topic, "version": version}
        for version, ids in enumerate((TOPIC_IDS, VERSION_2_IDS), start=1)
        for topic, schema_id in ids.items()
    }
    schemas |= {
        str(schema_id): {"subject": "corpus-value", "schema": schema}
        for schema_id, schema in inline_schemas().items()
    }
    return {
        "schemas.json": json.dumps(schemas, indent=1) + "\n",
        "cases.jsonl": _lines(events.rows),
        "other_topic_cases.jsonl": _lines(others.rows),
        "dead_letter_ids.json": json.dumps(_dead_letter_ids(), indent=1) + "\n",
    }


def _lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=True) + "\n" for row in rows)


def _dead_letter_ids() -> list[dict[str, Any]]:
    sha256 = hashlib.sha256(b"a file").hexdigest()
    origins: list[dict[str, Any]] = [
        {
            "origin_type": "KAFKA",
            "topic": "ad-impressions",
            "partition": 0,
            "offset": 0,
            "consumer_group": "ctr-stream",
        },
        {
            "origin_type": "KAFKA",
            "topic": "ad-metrics-1m",
            "partition": 11,
            "offset": 2**63 - 1,
            "consumer_group": "캐시-writer",
        },
        {
            "origin_type": "FILE",
            "file_sha256": sha256,
            "line": 40428967,
            "consumer_group": "producer",
        },
    ]
    for origin in origins:
        text = "\n".join(str(part) for part in origin.values())
        origin["dead_letter_id"] = hashlib.sha256(text.encode()).hexdigest()[:32]
    return origins


def main() -> int:
    """Write or compare; 1 if a file is not what this script makes."""
    different = [
        name
        for name, text in files().items()
        if not (HERE / name).exists() or (HERE / name).read_text("utf-8") != text
    ]
    if "--check" in sys.argv[1:]:
        for name in different:
            print(f"{name} is not what roas_corpus makes", file=sys.stderr)
        return 1 if different else 0
    for name, text in files().items():
        (HERE / name).write_text(text, "utf-8")
        print(f"{name}: {text.count(chr(10))} lines", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
