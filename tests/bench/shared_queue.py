"""Millions of messages a second through Python's queues between processes, as tests/bench/shared_queue.cpp asks.

Usage: shared_queue.py simple|queue BYTES COUNT
"""

import multiprocessing
import sys
import time


def produce(queue, message, count):
    for _ in range(count):
        queue.put(message)


def main():
    kind, size, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue() if kind == "simple" else context.Queue()
    producer = context.Process(target=produce, args=(queue, b"x" * size, count))
    begin = time.perf_counter()
    producer.start()
    for _ in range(count):
        queue.get()
    end = time.perf_counter()
    producer.join()
    print(count / (end - begin) / 1e6)


main()
