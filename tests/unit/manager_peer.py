# A manager's client in another language, for manager_test.cpp: manager_peer.py HOST PORT KEY. It speaks the protocol of
# rt/process/manager_protocol.hpp with cbor2, hmac and a socket.

import hashlib
import hmac
import os
import socket
import struct
import sys

import cbor2


class Failure(Exception):
    pass


class Manager:
    def __init__(self, host, port, key):
        self.socket = socket.create_connection((host, port))
        name, version, theirs = self.receive()
        assert (name, version) == ('rt-manager', 1)
        session, ours = os.urandom(16), os.urandom(32)

        def proof(side, first, second):
            return hmac.new(key, side + first + second + session, hashlib.sha256).digest()

        self.send([session, ours, proof(b'client', theirs, ours)])
        assert hmac.compare_digest(self.answer(), proof(b'server', ours, theirs))

    def send(self, message):
        data = cbor2.dumps(message)
        self.socket.sendall(struct.pack('!I', len(data)) + data)

    def receive(self):
        def exactly(size):
            data = b''
            while len(data) < size:
                part = self.socket.recv(size - len(data))
                if not part:
                    raise EOFError
                data += part
            return data
        return cbor2.loads(exactly(struct.unpack('!I', exactly(4))[0]))

    def answer(self):
        ok, *rest = self.receive()
        if not ok:
            raise Failure(*rest)
        return rest[0]

    def call(self, target, method, *arguments):
        self.send([target, method, list(arguments)])
        return self.answer()

    def number(self, reference):
        return reference['rt.proxy'][1]


manager = Manager(sys.argv[1], int(sys.argv[2]), sys.argv[3].encode())
try:
    Manager(sys.argv[1], int(sys.argv[2]), b'wrong')
    raise AssertionError('a wrong key was accepted')
except Failure as failure:
    assert failure.args[0] == 13, failure.args

shared = manager.number(manager.call(0, 'find', 'shared'))
assert manager.call(shared, 'get', 'from rt') == {'list': [1, 2.5, b'bytes', None, True]}
manager.call(shared, 'set', 'from Python', ['text', -7, 0.1])
assert manager.call(shared, 'add', 'counter', 2) == 3
try:
    manager.call(shared, 'get', 'no such key')
    raise AssertionError('a key was found')
except Failure as failure:
    assert failure.args[1] == 'not found', failure.args

queue = manager.call(0, 'create', 'queue', [3])
manager.call(manager.number(queue), 'put', 'from a queue of Python')
manager.call(shared, 'set', 'queue', queue)
lock = manager.number(manager.call(0, 'find', 'lock'))
manager.call(lock, 'acquire')
print('done', flush=True)
sys.stdin.read()  # holds the lock until it is let go
