# Prints the microseconds of a message to a process and back through multiprocessing.Pipe: pipe.py SIZE | object

import sys
import time
from multiprocessing import Pipe, Process


def answer(connection, objects):
    try:
        while True:
            if objects:
                connection.send(connection.recv())
            else:
                connection.send_bytes(connection.recv_bytes())
    except EOFError:
        pass


def ask(connection, message, objects):
    if objects:
        connection.send(message)
        connection.recv()
    else:
        connection.send_bytes(message)
        connection.recv_bytes()


objects = sys.argv[1] == 'object'
message = [12, {'name': 'alice'}, 'hello'] if objects else b'x' * int(sys.argv[1])
count = 2000
ours, theirs = Pipe()
process = Process(target=answer, args=(theirs, objects))
process.start()
theirs.close()
for _ in range(count // 10):
    ask(ours, message, objects)
begin = time.perf_counter()
for _ in range(count):
    ask(ours, message, objects)
print((time.perf_counter() - begin) / count * 1e6)
process.terminate()
process.join()
