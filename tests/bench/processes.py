# Starting a process of Python's multiprocessing and joining it: prints the microseconds of one.
import multiprocessing
import sys
import time

count = int(sys.argv[1])
context = multiprocessing.get_context('fork')


def nothing():
    pass


begin = time.perf_counter()
for _ in range(count):
    process = context.Process(target=nothing)
    process.start()
    process.join()
print((time.perf_counter() - begin) / count * 1e6)
