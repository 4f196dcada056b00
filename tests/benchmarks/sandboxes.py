"""What a program takes in each sandbox, and which of forty ordinary programs run there: print both.

`python -m tests.benchmarks.sandboxes`; `SCAFFOLDING_TEST_IMAGE` names an image with Python for Docker.
"""

import asyncio
import os
import statistics

from scaffolding_core import BackendUnavailableError, CodeTask, CodeWorker

ROUNDS = 10
SANDBOXES = {"monty": {}, "bubblewrap": {}, "docker": {"image": os.environ.get("SCAFFOLDING_TEST_IMAGE", "")}}

PROGRAMS = r"""
## word problem
def solution():
    eggs, eaten, price = 16, 3, 2
    return (eggs - eaten - 4) * price
solution()
## loop
total = 0
for i in range(1, 101):
    if i % 3 == 0 or i % 5 == 0:
        total += i
total
## main guard
def main():
    print(sum(range(10)))
if __name__ == '__main__':
    main()
## math
import math
math.comb(10, 3) + math.gcd(12, 18) + math.isqrt(50)
## from math
from math import sqrt, ceil, pi
ceil(sqrt(2) * pi)
## cmath
import cmath
abs(cmath.sqrt(-1))
## permutations
from itertools import permutations
sum(1 for p in permutations(range(5)) if p[0] < p[1])
## accumulate
from itertools import accumulate
list(accumulate([1, 2, 3]))
## counter
from collections import Counter
Counter('mississippi').most_common(1)
## defaultdict
from collections import defaultdict
d = defaultdict(list)
d['a'].append(1)
dict(d)
## deque
from collections import deque
q = deque([1, 2])
q.appendleft(0)
list(q)
## fractions
from fractions import Fraction
str(Fraction(1, 3) + Fraction(1, 6))
## decimal
from decimal import Decimal
str(Decimal('0.1') + Decimal('0.2'))
## statistics
import statistics
statistics.mean([1, 2, 3, 4])
## sympy
from sympy import solve, symbols
x = symbols('x')
str(solve(x**2 - 4, x))
## numpy
import numpy as np
int(np.array([1, 2, 3]).sum())
## heap
import heapq
h = [3, 1, 2]
heapq.heapify(h)
heapq.heappop(h)
## bisect
import bisect
bisect.bisect_left([1, 3, 5], 3)
## random
import random
random.seed(0)
1 <= random.randint(1, 6) <= 6
## date
from datetime import date, timedelta
(date(2024, 2, 28) + timedelta(days=2)).isoformat()
## days between
from datetime import date
(date(2024, 12, 25) - date(2024, 7, 4)).days
## strptime
from datetime import datetime
datetime.strptime('2024-03-01', '%Y-%m-%d').strftime('%B %d')
## calendar
import calendar
calendar.monthrange(2024, 2)
## json
import json
json.loads(json.dumps({'a': [1, 2.5, None]}))
## regex
import re
sum(map(int, re.findall(r'\d+', 'a1b22')))
## string
import string
string.ascii_lowercase[:3]
## formats
x = 1234.5
f'{x:,.2f} {x:>10.1f} {0.25:.1%}'
## comprehensions
[{x: y for y in range(2)} for x in range(3) if x], {x % 2 for x in range(5)}
## sort
sorted([('a', 3), ('b', 1)], key=lambda p: (-p[1], p[0]))
## generator
def primes():
    n = 2
    while True:
        if all(n % i for i in range(2, n)):
            yield n
        n += 1
g = primes()
[next(g) for _ in range(5)]
## recursion
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
fib(15)
## cache
from functools import lru_cache
@lru_cache(maxsize=None)
def f(n):
    return n if n < 2 else f(n - 1) + f(n - 2)
f(80)
## reduce
from functools import reduce
reduce(lambda a, b: a * b, [1, 2, 3])
## exception
try:
    int('a')
except ValueError as error:
    said = str(error)
finally:
    done = True
said
## class
class Stack:
    def __init__(self):
        self.items = []
    def push(self, x):
        self.items.append(x)
s = Stack()
s.push(1)
s.items
## inheritance
class A:
    def area(self):
        return 0
class B(A):
    def area(self):
        return super().area() + 1
B().area()
## dataclass
from dataclasses import dataclass
@dataclass
class P:
    x: int
P(1).x
## match
def f(x):
    match x:
        case [a, b]:
            return a + b
        case _:
            return None
f([1, 2])
## file
with open('a.txt', 'w') as f:
    f.write('hi')
open('a.txt').read()
## exit
import sys
print(3)
sys.exit(0)
"""


def programs() -> dict[str, str]:
    """Code by title."""
    return dict(part.split("\n", 1) for part in PROGRAMS.strip().removeprefix("## ").split("\n## "))


async def measured(name: str, options: dict[str, str]) -> tuple[list[str], float]:
    """The programs that did not run, and milliseconds that one takes."""
    async with CodeWorker(name, **options) as worker:
        failed = []
        for title, code in programs().items():
            task = CodeTask(code=code)
            await worker.run_task(task)
            if task.failure is not None:
                failed.append(title)
        taken = []
        for _ in range(ROUNDS):
            task = CodeTask(code="6 * 7")
            await worker.run_task(task)
            taken.append(1000 * (task.seconds_used or 0))
    return failed, statistics.median(taken)


def main() -> None:
    """Print a line for each sandbox that is here."""
    for name, options in SANDBOXES.items():
        try:
            failed, milliseconds = asyncio.run(measured(name, options))
        except BackendUnavailableError as error:
            print(f"{name}: {error}")
            continue
        ran = f"{len(programs()) - len(failed)} of {len(programs())}"
        print(f"{name}: {milliseconds:.0f} ms a program; {ran} ran, not: {', '.join(failed) or 'none'}")


if __name__ == "__main__":
    main()
