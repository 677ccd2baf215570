"""What is due is looked at, once, by one worker at a time, and what is urgent first."""

import asyncio
import random

from dealguard_operator.work_queue import WorkQueue


async def drain(queue: WorkQueue) -> list[str]:
    keys = []
    while len(queue):
        keys.append(key := await queue.get())
        queue.done(key)
    return keys


async def test_what_is_urgent_goes_first_once() -> None:
    queue = WorkQueue()
    for key in "abc":
        queue.add(key)
    for key in "dcd":
        queue.add(key, is_urgent=True)
    queue.add("c")
    assert await drain(queue) == ["d", "c", "a", "b"]


async def test_what_changes_while_it_is_looked_at_is_due_again_and_urgent_if_it_was() -> None:
    queue = WorkQueue()
    for key in "ab":
        queue.add(key)
    assert await queue.get() == "a"
    queue.add("a", is_urgent=True)
    assert await queue.get() == "b", "nobody else looks at it meanwhile"
    queue.done("a")
    assert await queue.get() == "a"


async def test_it_ran_dry_when_somebody_found_nothing_due() -> None:
    queue = WorkQueue()
    await asyncio.wait_for(queue.wait_ran_dry(), 1)  # nothing is due
    queue.add("a")
    ran_dry = asyncio.create_task(queue.wait_ran_dry())
    queue.done(await queue.get())
    await asyncio.sleep(0.01)
    assert not ran_dry.done()
    waiting = asyncio.create_task(queue.get())
    await asyncio.wait_for(ran_dry, 1)
    queue.add("b")
    assert await waiting == "b"
    queue.add("c")
    ran_dry = asyncio.create_task(queue.wait_ran_dry())
    await asyncio.sleep(0.01)
    assert not ran_dry.done(), "the next time counts"
    await queue.get()
    waiting = asyncio.create_task(queue.get())
    await asyncio.wait_for(ran_dry, 1)
    waiting.cancel()


async def test_no_course_of_events_loses_a_change_or_gives_a_key_to_two() -> None:
    chance = random.Random(3)
    queue, in_work, changes = WorkQueue(), set[str](), dict.fromkeys("abcdef", 0)

    async def worker() -> None:
        while True:
            key = await queue.get()
            assert key not in in_work
            in_work.add(key)
            changes[key] = 0  # what it looks at now it has seen
            await asyncio.sleep(chance.random() / 1000)
            in_work.discard(key)
            queue.done(key)

    workers = [asyncio.create_task(worker()) for _ in range(3)]
    for _ in range(2000):
        key = chance.choice("abcdef")
        changes[key] += 1
        queue.add(key, is_urgent=chance.random() < 0.3)
        if chance.random() < 0.3:
            await asyncio.sleep(0)
    async with asyncio.timeout(10):
        while len(queue) or in_work:  # noqa: ASYNC110 - the queue tells nobody that it is empty
            await asyncio.sleep(0.001)
    assert not any(one.done() for one in workers)
    assert set(changes.values()) == {0}
    for one in workers:
        one.cancel()
    await asyncio.wait(workers)
