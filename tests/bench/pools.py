# What pool.cpp measures, with Python's pools: pools.py WHAT writes microseconds for a call, nanoseconds for an item.
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import Pool


def plus_one(n):
    return n + 1


def pool_apply(count=2000):
    with Pool(2) as pool:
        begin = time.perf_counter()
        for i in range(count):
            pool.apply(plus_one, (i,))
        return (time.perf_counter() - begin) / count * 1e6


def executor_submit(count=2000):
    with ProcessPoolExecutor(2) as pool:
        begin = time.perf_counter()
        for i in range(count):
            pool.submit(plus_one, i).result()
        return (time.perf_counter() - begin) / count * 1e6


def pool_map(count=30_000, chunk=1):
    with Pool(2) as pool:
        begin = time.perf_counter()
        pool.map(plus_one, range(count), chunk)
        return (time.perf_counter() - begin) / count * 1e9


def executor_map(count=5_000):
    with ProcessPoolExecutor(2) as pool:
        begin = time.perf_counter()
        for _ in pool.map(plus_one, range(count)):
            pass
        return (time.perf_counter() - begin) / count * 1e9


def pool_map_in_chunks():
    return pool_map(1_000_000, None)


print(globals()[sys.argv[1]]())
