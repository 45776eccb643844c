"""The events of the benchmark, and whether a result is right."""

import json
import random

SMALL = b'{"x": 41}'

# What the handlers in handlers/ answer to it.
EXPECTED = {
    "tiny": 42,
    "frame": {"slope": 2, "spread": 6.055, "means": [{"group": "a", "value": 47}, {"group": "b", "value": 57}]},
    "dplyr": [{"group": "a", "value": 85}, {"group": "b", "value": 44}],
}


def encode(value):
    return json.dumps({"x": value}, ensure_ascii=False, separators=(",", ":")).encode()


def text(chance):
    """Lines of words, with quotation marks and letters beyond ASCII: what JSON must escape, and what not."""
    words = ["the", "quick", '"brown"', "fox", "jumps", "över", "lazy", "dogs"]
    lines = [" ".join(chance.choices(words, k=14)) for _ in range(68_000)]
    return "\n".join(lines)[:4_750_000]


def numbers(chance):
    """With four decimals, which every runtime writes in full."""
    return [round(chance.uniform(1000, 9999), 4) for _ in range(500_000)]


def records(chance):
    return [
        {
            "id": number,
            "name": f"Customer {number:06d} of the shop",
            "mail": f"customer.{number:06d}@mail.example.org",
            "city": chance.choice(["Mönchengladbach", "Castrop-Rauxel", "Bad Salzuflen", "Recklinghausen"]),
            "active": chance.random() < 0.5,
            "score": round(chance.uniform(0, 100), 4),
            "since": f"20{chance.randrange(10, 26)}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}T12:00:00Z",
            "note": " ".join(chance.choices(["delivery", "on", "Tuesdays", "only", "ring", "twice", "thanks"], k=11)),
        }
        for number in range(20_000)
    ]


def large():
    """Name, value, event: 5 MB each."""
    chance = random.Random(1)
    values = {"one string": text(chance), "500,000 numbers": numbers(chance), "20,000 records of 8 fields": records(chance)}
    return [(name, value, encode(value)) for name, value in values.items()]
