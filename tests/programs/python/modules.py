"""json, sqlite3, zlib and threading at work; prints what they answer."""
import hashlib
import json
import queue
import sqlite3
import threading
import zlib


def use_json():
    document = {"items": [{"id": i, "name": f"name {i} \u00e9\u4e2d", "tags": [str(i % 7)] * (i % 5), "ratio": i / 7} for i in range(20_000)]}
    text = json.dumps(document, sort_keys=True)
    assert json.loads(text) == document
    print("json", len(text), hashlib.sha256(text.encode()).hexdigest()[:16])


def use_sqlite():
    base = sqlite3.connect(":memory:")
    base.execute("create table item (id integer primary key, name text, weight real, data blob)")
    base.executemany(
        "insert into item values (?, ?, ?, ?)",
        ((i, f"item {i * 7919 % 10_007}", i * 0.5, bytes([i % 256]) * (i % 900)) for i in range(10_000)),
    )
    base.execute("create index by_name on item (name)")
    for i in range(0, 10_000, 3):
        base.execute("update item set data = ?, name = name || ? where id = ?", (bytes(i % 2_000), "+", i))
    base.execute("delete from item where id % 5 = 0")
    print("sqlite", base.execute("select count(*), sum(weight), sum(length(data)), min(name), max(name) from item").fetchone())
    print("sqlite", base.execute("select name, count(*) from item group by substr(name, 1, 7) order by name limit 5").fetchall())
    print("sqlite", base.execute("pragma integrity_check").fetchone())


def use_zlib():
    data = b"".join(hashlib.sha256(str(i).encode()).digest() + b"the same words again and again " * 20 for i in range(4_000))
    for level in (1, 6, 9):
        packed = zlib.compress(data, level)
        assert zlib.decompress(packed) == data
        print("zlib", level, len(data), zlib.crc32(packed))


def use_threads():
    work, done = queue.Queue(), queue.Queue()

    def run():
        while (number := work.get()) is not None:
            words = [f"{number}:{i}" for i in range(200)]
            done.put((number, hashlib.sha256(" ".join(words).encode()).hexdigest(), words))

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for number in range(3_000):
        work.put(number)
    for _ in threads:
        work.put(None)
    for thread in threads:
        thread.join()
    results = sorted(done.get() for _ in range(3_000))
    print("threads", hashlib.sha256("".join(result[1] for result in results).encode()).hexdigest()[:16])

    total = 0
    for turn in range(300):
        box = []
        short = threading.Thread(target=lambda: box.append([str(turn)] * 1_000))
        short.start()
        short.join()
        total += len(box[0])
    print("short threads", total)


use_json()
use_sqlite()
use_zlib()
use_threads()
