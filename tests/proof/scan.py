"""The scan of the list, for any number of ids, by induction over the rounds of its loop.

The list has n = size * m + rest ids, where a round takes `size` of them and m is any number of rounds. G is what the
loop has gathered so far, and may be anything. Proved are, for any m and for each `rest` below `size`:

  start  the loop is reached in one way, and nothing else accepts or refuses an id
  round  a round with more to come leads to the next, has looked at its own ids, and moves on by as much each time
  last   the round before which m - 1 are done leaves the loop, for an answer that is right about everything but G
  step   answer(G after a round on the ids a) = answer(G), or a holds the id
  base   answer(G as the loop is reached) = the last ids hold the id

So the answer is whether any of the n ids is the token's. Lists without a whole round are among those in `lists`.
"""

from collections import defaultdict

from bitwuzla import Kind

from claims import OK, UNLISTED, Verify
from machine import LIST, STOP, Machine
from terms import Refused, bv, equal, every, fresh, model, negate, possible, prove, require, same, some, symbols, term, to_signed

VIRTUAL = 0x68000000  # where the ids lie that are looked at
LONGEST = 17  # of the lists that `lists` proves without a gap

def find_loop(image, count=64):
    """Where the loop can be cut, how many ids a round takes, and the state at the first two arrivals there."""
    read, visits = set(), defaultdict(list)

    class Watched(Machine):
        def get(self, state, space, offset, size):
            if space == "ram" and LIST <= offset < LIST + 16 * count:
                read.add((offset - LIST) // 16)
            return super().get(state, space, offset, size)

    run = Verify(image, count, [symbols("word", 2, 64) for _ in range(count)], machine=Watched)
    run.machine.run(run.start, until=lambda state: visits[state.pc].append((len(read), state.copy())))
    for head, seen in visits.items():  # in the order of the first visits
        size, ids = count // len(seen), [ids for ids, _ in seen]
        if len(seen) > 2 and size * len(seen) == count and all(b - a == size for a, b in zip(ids, ids[1:])):
            return head, size, [state for _, state in seen[:2]]
    raise Refused("there is no loop over the list")

class Scan:
    def __init__(self, image, head, size, rest, arrivals):
        self.head, self.bits, m, before, done = head, image.bits, *(fresh(n, image.bits) for n in ("m", "before", "done"))
        n = self.sum(self.times(m, size), rest)
        # A slice has at most isize::MAX bytes.
        self.facts = [self.less(0, m), self.less(m, (1 << self.bits - 5) // size)]
        self.run = Verify(image, n, [], feasible=lambda known: possible([*self.facts, *known]))
        self.machine, self.ids = self.run.machine, [symbols(f"id{i}_", 2, 64) for i in range(2 * size + rest)]
        self.machine.regions.append((VIRTUAL, 16 * (size + rest)))
        first = self.start(n)
        always = [*self.facts, *first.known]

        # A round with more to come, before which `before` rounds are done. Starts from a guess about by how much the loop
        # moves each word, and gives up what does not hold.
        self.facts = [*always, self.less(self.sum(before, 1), m)]
        self.machine.resolve = self.address(self.sum(LIST, self.times(before, 16 * size)), VIRTUAL)
        steps = wrong = self.guess(first, arrivals)
        while wrong:
            state, gathered = self.at_head(first, steps, before, self.ids[:size])
            ends = self.machine.run(state, until=lambda state: state.pc == head)
            require([end.pc for end in ends] == [head], "a round leaves the loop too early, or decides on the input")
            wrong = [key for key in steps if self.differs(state, ends[0], key, steps[key])]
            steps = {key: step for key, step in steps.items() if key not in wrong}
        in_round = [*self.facts, *ends[0].known]

        # The last round, before which `done` rounds are done.
        self.facts = [*always, equal(self.sum(done, 1), m)]
        self.machine.resolve = self.address(self.sum(LIST, self.times(n, 16)), VIRTUAL + 16 * (size + rest))
        last, _ = self.at_head(first, steps, done, self.ids[size:])
        held = [some(map(self.run.is_id, ids)) for ids in (self.ids[:size], self.ids[size:])]
        prove(equal(self.answer(last, first.pick(gathered)), held[1]), "the induction's base", self.facts)
        answer = self.answer(last, gathered)
        self.facts += in_round
        moved = self.answer(last, ends[0].pick(gathered))
        prove(equal(moved, bv(Kind.OR, answer, held[0])), "the induction's step", self.facts)

    def sum(self, a, b):
        return bv(Kind.BV_ADD, term(a, self.bits), term(b, self.bits))

    def times(self, a, factor):
        return bv(Kind.BV_MUL, a, term(factor, self.bits))

    def less(self, a, b):
        return bv(Kind.BV_ULT, term(a, self.bits), term(b, self.bits))

    def start(self, n):
        """The state when the loop is reached, which must be in one way and by every longer list."""
        ends = self.machine.run(self.run.start, until=lambda state: state.pc == self.head)
        arrived = [end for end in ends if end.pc == self.head]
        require(len(arrived) == 1, f"{len(arrived)} paths lead into the loop")
        for end in ends:
            past = possible([*self.facts, *end.known, self.less(LONGEST, n), self.run.is_right])
            require(end in arrived or not past, "answers for an id without the loop")
        return arrived[0]

    def guess(self, first, arrivals):
        """For each word, or byte where there is no word, by how much the loop moves it on in a round."""
        steps, word = {}, self.bits // 8
        for space in ("register", "ram"):
            cells = first.cells[space]
            for at in cells:
                whole = all(at - at % word + n in cells for n in range(word))
                key = (space, at - at % word, word) if whole else (space, at, 1)
                a, b = (self.word_at(state, key) for state in arrivals)
                if same(a, b) or isinstance(a, int) and isinstance(b, int):
                    steps[key] = 0 if same(a, b) else b - a
        return steps

    def word_at(self, state, key):
        return self.machine.get(state, *key)

    def at_head(self, first, steps, rounds, ids):
        """The state in the loop after so many rounds, and those cells of it that may be anything."""
        state, known = first.copy(), set()
        state.path = []
        for key, step in steps.items():
            if step:
                self.machine.put(state, *key, self.sum(self.word_at(first, key), self.times(rounds, step)))
            known |= {(key[0], key[1] + n) for n in range(key[2])}
        places = [(space, at) for space in ("register", "ram") for at in state.cells[space] if (space, at) not in known]
        gathered = {(space, at): (fresh(f"gathered_{space}_{at:x}", 8), 0) for space, at in places}
        for (space, at), cell in gathered.items():
            state.cells[space][at] = cell
        self.run.put_ids(state, VIRTUAL, ids)
        return state, gathered

    def differs(self, before, after, key, step):
        old, new = (self.word_at(state, key) for state in (before, after))
        if step == 0 and same(old, new):
            return False
        old, new = (term(value, 8 * key[2]) for value in (old, new))
        moved = bv(Kind.BV_ADD, old, term(step % (1 << 8 * key[2]), 8 * key[2]))
        return possible([*self.facts, *after.known, negate(equal(new, moved))])

    def address(self, base, virtual):
        """Makes an int of an address: how far it lies from `base` must always be the same."""
        def resolve(state, address):
            facts, distance = [*self.facts, *state.known], bv(Kind.BV_SUB, address, base)
            found = model(facts)
            require(found, "a path that cannot be taken")
            prove(equal(distance, term(found(distance), self.bits)), "which id is looked at", facts)
            return virtual + to_signed(found(distance), self.bits)
        return resolve

    def answer(self, last, gathered):
        """Whether the last round leads to Ok, if the loop has gathered this."""
        require(possible(self.facts), "there is no such round")
        state = last.copy()
        for (space, at), cell in gathered.items():
            state.cells[space][at] = cell
        ends = self.machine.run(state, until=lambda state: state.pc == self.head)
        for end in ends:
            require(end.pc == STOP, "the last round does not leave the loop")
            either = some(self.run.answers(end, answer) for answer in (OK, UNLISTED))
            prove(either, "the answer to a token with a right tag", [*self.facts, *end.known])
        for answer in (OK, UNLISTED):
            taken = [end for end in ends if possible([*self.facts, *end.known, self.run.answers(end, answer)])]
            require(len(taken) < 2, f"decides on the input: {len(taken)} paths after the loop")
        return some(every([*end.known, self.run.answers(end, OK)]) for end in ends)

def any_number(image):
    head, size, arrivals = find_loop(image)
    require(size <= LONGEST, f"{size} ids in a round")
    for rest in range(size):
        Scan(image, head, size, rest, arrivals)
    return f"a list of any number of ids: by induction over rounds of {size}"
