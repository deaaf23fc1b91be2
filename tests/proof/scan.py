"""The scan of the list, for any number of ids, by induction over the rounds of its loop.

The list has n = each * m + rest ids, where a round takes `each` of them and m is any number of rounds. G is what the
loop has gathered so far, and may be anything. Proved are, for any m and for each `rest` below `each`:

  start  the loop is reached in one way, and nothing else accepts or refuses an id
  round  a round with more to come leads to the next, has looked at its own ids, and moves on by as much each time
  last   the round before which m - 1 are done leaves the loop, for an answer that is right about everything but G
  step   answer(G after a round on the ids a) = answer(G), or a holds the id
  base   answer(G as the loop is reached) = the last ids hold the id

So the answer is whether any of the n ids is the token's. Lists without a whole round are among those in `lists`."""

from collections import defaultdict

from bitwuzla import Kind

from claims import OK, UNLISTED, Verify
from machine import LIST, STOP
from terms import (Refused, bv, const, equal, every, fresh, model, negate, possible, prove, require, simplify, size,
                   some, symbols, term, to_signed)

VIRTUAL = 0x68000000  # where the ids lie that are looked at
LONGEST = 17  # of the lists that `lists` proves without a gap


def find_loop(image, count=112):
    """Where the loop can be cut, how many ids a round takes, and the state at the first two arrivals there."""
    visits = defaultdict(list)
    run = Verify(image, count, [symbols("word", 2, 64) for _ in range(count)])
    run.machine.run(run.start, until=lambda state: visits[state.pc].append(len(visits[state.pc]) < 2 and state.copy()))
    for head, seen in visits.items():  # in the order of the first visits
        if len(seen) >= 7 and count % len(seen) == 0:
            return head, count // len(seen), seen[:2]
    raise Refused("there is no loop over the list")


def less(a, b): return bv(Kind.BV_ULT, a, b)
def plus(a, b): return bv(Kind.BV_ADD, term(a, size(b)), b)
def linear(base, step, rounds): return plus(base, bv(Kind.BV_MUL, const(step, size(rounds)), rounds))


class Scan:
    def __init__(self, image, head, each, rest, arrivals):
        self.head, self.bits = head, image.bits
        m, before, done = (fresh(name, image.bits) for name in ("m", "before", "done"))
        count, ids = linear(rest, each, m), [symbols(f"id{n}_", 2, 64) for n in range(2 * each + rest)]
        # A slice has at most isize::MAX bytes.
        given = [less(const(0, image.bits), m), less(m, const((1 << image.bits - 5) // each, image.bits))]
        self.run = Verify(image, count, [], given)
        self.machine, held = self.run.machine, [some(map(self.run.is_id, ids)) for ids in (ids[:each], ids[each:])]
        self.machine.regions.append((VIRTUAL, 16 * (each + rest)))
        ends = self.machine.run(self.run.start, until=lambda state: state.pc == head)
        first, *others = sorted(ends, key=lambda end: end.pc != head)
        require(first.pc == head and all(end.pc != head for end in others), "not one path leads into the loop")
        past = [less(const(LONGEST, image.bits), count), self.run.is_right]
        require(not any(possible([*end.known, *past]) for end in others), "answers for an id without the loop")

        # A round with more to come, before which `before` rounds are done. Starts from a guess by how much the loop
        # moves each word, and gives up what does not hold.
        self.machine.resolve = self.address(linear(LIST, 16 * each, before), VIRTUAL)
        steps = wrong = self.guess(first, arrivals)
        while wrong:
            state, gathered = self.at_head(first, steps, before, ids[:each], less(linear(1, 1, before), m))
            ends = self.machine.run(state, until=lambda state: state.pc == head)
            require([end.pc for end in ends] == [head], "a round leaves the loop too early, or decides on the input")
            moved = {place: plus(step, self.word(state, place)) for place, step in steps.items()}
            wrong = [place for place in steps
                     if possible([*ends[0].known, negate(equal(self.word(ends[0], place), moved[place]))])]
            steps = {place: steps[place] for place in steps if place not in wrong}

        # The last round, before which `done` rounds are done.
        self.machine.resolve = self.address(linear(LIST, 16, count), VIRTUAL + 16 * (each + rest))
        last, _ = self.at_head(first, steps, done, ids[each:], equal(linear(1, 1, done), m))
        prove(equal(self.answer(last, first, gathered), held[1]), "the induction's base", last.known)
        answer = self.answer(last, state, gathered)
        last.known += ends[0].known
        moved = self.answer(last, ends[0], gathered)
        prove(equal(moved, some([answer, held[0]])), "the induction's step", last.known)

    def word(self, state, place): return term(self.machine.get(state, *place, self.bits // 8), self.bits)

    def guess(self, first, arrivals):
        """For each word by how much the loop moves it on in a round."""
        steps, length = {}, self.bits // 8
        for space, at in [(space, at) for space in ("register", "ram") for at in first.cells[space]]:
            if at % length == 0 and all(at + n in first.cells[space] for n in range(length)):
                step = simplify(bv(Kind.BV_SUB, *(self.word(state, (space, at)) for state in reversed(arrivals))))
                if isinstance(step, int):
                    steps[space, at] = to_signed(step, self.bits)
        return steps

    def at_head(self, first, steps, rounds, ids, fact):
        """The state in the loop after so many rounds, and the places in it that may hold anything."""
        state = first.copy()
        state.known.append(fact)
        for place, step in steps.items():
            if step:
                self.machine.put(state, *place, self.bits // 8, linear(self.word(first, place), step, rounds))
        gathered = [(space, at) for space in ("register", "ram") for at in state.cells[space]
                    if (space, at - at % (self.bits // 8)) not in steps]
        for space, at in gathered:
            state.cells[space][at] = fresh(f"gathered_{space}_{at:x}", 8), 0
        self.run.put_ids(state, VIRTUAL, ids)
        return state, gathered

    def address(self, base, virtual):
        """Makes an int of an address: how far it lies from `base` must always be the same."""
        def resolve(state, address):
            distance = bv(Kind.BV_SUB, address, base)
            value = model(state.known)(distance)
            prove(equal(distance, const(value, self.bits)), "which id is looked at", state.known)
            return virtual + to_signed(value, self.bits)
        return resolve

    def answer(self, last, other, gathered):
        """Whether the last round leads to Ok, if the loop has gathered what it has in another state."""
        require(possible(last.known), "there is no such round")
        state = last.copy()
        for space, at in gathered:
            state.cells[space][at] = other.cells[space][at]
        ends = self.machine.run(state, until=lambda state: state.pc == self.head)
        for end in ends:
            require(end.pc == STOP, "the last round does not leave the loop")
            either = some(self.run.answers(end, answer) for answer in (OK, UNLISTED))
            prove(either, "the answer to a token with a right tag", end.known)
        for answer in (OK, UNLISTED):
            taken = [end for end in ends if possible([*end.known, self.run.answers(end, answer)])]
            require(len(taken) < 2, f"decides on the input: {len(taken)} paths after the loop")
        return some(every([*end.known, self.run.answers(end, OK)]) for end in ends)


def any_number(image):
    head, each, arrivals = find_loop(image)
    require(each <= LONGEST, f"{each} ids in a round")
    for rest in range(each):
        Scan(image, head, each, rest, arrivals)
    return f"a list of any number of ids: by induction over rounds of {each}"
