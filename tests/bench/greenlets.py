# What fiber.cpp measures, with greenlet and gevent: greenlets.py WHAT writes nanoseconds for each.
import sys
import time

import gevent
import gevent.lock
import gevent.queue
import greenlet


def greenlet_yield():
    """A ring of 10: each switches to the next."""
    count = 500_000

    def body(switch_to_next):
        while True:
            switch_to_next()

    switch = greenlet.getcurrent().switch
    for _ in range(9):
        link = greenlet.greenlet(body)
        link.switch(switch)
        switch = link.switch
    for _ in range(count // 10):
        switch()
    return count


def greenlet_spawn():
    count = 100_000

    def body():
        pass

    for _ in range(count):
        greenlet.greenlet(body).switch()
    return count


def gevent_yield():
    def body():
        sleep = gevent.sleep
        for _ in range(10_000):
            sleep(0)

    gevent.joinall([gevent.spawn(body) for _ in range(10)])
    return 100_000


def gevent_spawn():
    count = 20_000

    def body():
        pass

    for _ in range(count):
        gevent.spawn(body).join()
    return count


def gevent_lock():
    lock = gevent.lock.BoundedSemaphore(1)

    def body():
        for _ in range(20_000):
            with lock:
                gevent.sleep(0)
            gevent.sleep(0)

    gevent.joinall([gevent.spawn(body), gevent.spawn(body)])
    return 40_000


def gevent_transfer(capacity):
    count, queue = 50_000, gevent.queue.Queue(capacity)

    def producer():
        for item in range(count):
            queue.put(item)

    def consumer():
        for _ in range(count):
            queue.get()

    gevent.joinall([gevent.spawn(producer), gevent.spawn(consumer)])
    return count


MEASURES = {
    "greenlet-yield": greenlet_yield,
    "greenlet-spawn": greenlet_spawn,
    "gevent-yield": gevent_yield,
    "gevent-spawn": gevent_spawn,
    "gevent-lock": gevent_lock,
    "gevent-transfer-1": lambda: gevent_transfer(1),
    "gevent-transfer-100": lambda: gevent_transfer(100),
}

if len(sys.argv) != 2 or sys.argv[1] not in MEASURES:
    sys.exit("usage: greenlets.py WHAT, where WHAT is one of: " + " ".join(MEASURES))
begin = time.perf_counter_ns()
steps = MEASURES[sys.argv[1]]()
print((time.perf_counter_ns() - begin) / steps)
