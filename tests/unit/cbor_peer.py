# Python's cbor2 as the other side of cbor_test.cpp: writes values of its own in hexadecimal, one a line, each twice
# (plain and canonical); then, for each line of standard input, the same value as it understood and encodes it.

import random
import sys

import cbor2


def value(depth):
    kind = random.randrange(9 if depth else 7)
    if kind == 0:
        return random.choice([None, True, False])
    if kind == 1:
        return random.randrange(-2**63, 2**63) >> random.randrange(64)
    if kind == 2:
        return random.choice([0.0, -0.0, 1.5, 1.1, 1e300, 1e-320, float('inf'), float('-inf'), random.random()])
    if kind in (3, 4):
        return ''.join(random.choice('ab"\\\n\u00fc\u6c34\U00010151') for _ in range(random.randrange(30)))
    if kind in (5, 6):
        return random.randbytes(random.randrange(300))
    if kind == 7:
        return [value(depth - 1) for _ in range(random.randrange(30))]
    return {value(0): value(depth - 1) for _ in range(random.randrange(30))}


random.seed(5)
for _ in range(200):
    made = value(3)
    print(cbor2.dumps(made).hex())
    print(cbor2.dumps(made, canonical=True).hex())
print()
for line in sys.stdin:
    print(cbor2.dumps(cbor2.loads(bytes.fromhex(line))).hex())
