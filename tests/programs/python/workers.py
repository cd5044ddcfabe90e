"""A pool of forked processes, made while other threads of the parent are busy allocating."""
import multiprocessing
import threading


def square(number):
    words = [str(number * i) for i in range(2_000)]
    return number * number + len("".join(words)) * 0


def main():
    stop = threading.Event()

    def busy():
        while not stop.is_set():
            [bytearray(size) for size in range(100, 3_000, 10)]

    threads = [threading.Thread(target=busy) for _ in range(2)]
    for thread in threads:
        thread.start()
    with multiprocessing.get_context("fork").Pool(3) as pool:
        print(sum(pool.map(square, range(400))))
        pool.close()
        pool.join()
    stop.set()
    for thread in threads:
        thread.join()


main()
