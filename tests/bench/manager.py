# Prints how many thousands of requests a second one client makes of a dict of multiprocessing.Manager.

import time
from multiprocessing import Manager

count = 2000
if __name__ == '__main__':
    with Manager() as manager:
        shared = manager.dict()
        shared['key'] = 0
        begin = time.perf_counter()
        for i in range(count):
            shared['key'] = i
            shared['key']
        print(2 * count / (time.perf_counter() - begin) / 1000)
