"""Builds large structures of many kinds, checks and drops them, and prints digests that depend on every element."""
import gc
import hashlib


class Node:
    __slots__ = ("left", "right", "value")

    def __init__(self, depth, value):
        self.value = value
        self.left = Node(depth - 1, value * 2) if depth else None
        self.right = Node(depth - 1, value * 2 + 1) if depth else None

    def total(self):
        return self.value + (self.left.total() if self.left else 0) + (self.right.total() if self.right else 0)


def digest(parts):
    result = hashlib.sha256()
    for part in parts:
        result.update(part if isinstance(part, bytes) else str(part).encode())
    return result.hexdigest()[:16]


def numbers(seed):
    while True:
        seed = (seed * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        yield seed >> 33


def main():
    for turn in range(3):
        random = numbers(turn)
        table = {f"key {index}": [index, str(index) * 3, {"square": index * index}] for index in range(60_000)}
        print("table", len(table), digest(f"{key}{value}" for key, value in table.items()))
        for index in range(0, 60_000, 2):
            del table[f"key {index}"]
        print("half", len(table), digest(table))

        blocks = [bytes([next(random) & 255]) * (next(random) % 20_000) for _ in range(3_000)]
        for _ in range(3_000):
            place = next(random) % len(blocks)
            blocks[place] = blocks[place][: len(blocks[place]) // 2] + bytes([next(random) & 255]) * (next(random) % 10_000)
        print("blocks", sum(map(len, blocks)), digest(blocks))

        tree = Node(15, 1)
        print("tree", tree.total())

        text = ""
        for index in range(20_000):
            text += chr(97 + index % 26)
        lists = [list(range(length)) for length in range(0, 2_000, 3)]
        print("text", digest([text]), "lists", sum(map(sum, lists)))

        big = bytearray()
        while len(big) < 24 << 20:
            big.extend(bytes(1 << 16))
        big[-1] = turn
        print("bytes", len(big), digest([bytes(big[-1000:])]))
        del table, blocks, tree, text, lists, big
        gc.collect()


main()
