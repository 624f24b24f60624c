"""The deadline of requests: who waits for a thread too long is never run, and who runs too long is not waited for."""

import asyncio

import pytest

from config import deadline
from config.deadline import Threads, TooLate


def test_what_ends_in_time_is_returned_and_what_it_raises_is_raised():
    async def fine():
        return "done"

    async def broken():
        raise ValueError("broken")

    async def play():
        threads = Threads(1, 5)
        assert await threads.run(fine) == "done"
        with pytest.raises(ValueError, match="broken"):
            await threads.run(broken)
        assert await threads.run(fine) == "done"

    asyncio.run(play())


def test_what_waited_too_long_never_runs_and_what_runs_too_long_keeps_its_place(monkeypatch):
    monkeypatch.setattr(deadline, "STUCK_SECONDS", 0.01)
    ran = []

    async def play():
        threads, database_is_back = Threads(1, 0.05), asyncio.Event()

        async def stuck():
            await database_is_back.wait()
            ran.append("stuck")

        async def quick():
            ran.append("quick")

        first, second = await asyncio.gather(threads.run(stuck), threads.run(quick), return_exceptions=True)
        assert isinstance(first, TooLate) and isinstance(second, TooLate)
        assert second.running is None and not first.running.done()
        with pytest.raises(TooLate) as third:
            await threads.run(quick)
        assert third.value.running is None and ran == []

        database_is_back.set()
        await first.running
        await threads.run(quick)
        assert ran == ["stuck", "quick"]

    asyncio.run(play())


def test_as_many_run_at_once_as_there_are_places():
    most, now = [], set()

    async def work():
        now.add(task := asyncio.current_task())
        most.append(len(now))
        await asyncio.sleep(0)
        now.discard(task)

    async def play():
        threads = Threads(2, 5)
        await asyncio.gather(*(threads.run(work) for _ in range(6)))

    asyncio.run(play())
    assert max(most) == 2 and len(most) == 6


def test_of_work_that_waits_for_its_turn_only_so_much_holds_a_place_and_other_work_goes_on():
    async def play():
        threads, turn, over = Threads(2, 5), asyncio.Semaphore(1), asyncio.Event()
        started = []

        async def hashing():
            started.append("hashing")
            await over.wait()

        async def quick():
            return "done"

        signing_in = [asyncio.create_task(threads.run(hashing, turn)) for _ in range(5)]
        assert [await threads.run(quick) for _ in range(3)] == ["done"] * 3
        assert started == ["hashing"]
        over.set()
        await asyncio.gather(*signing_in)
        assert started == ["hashing"] * 5

    asyncio.run(play())


def test_who_waits_for_a_turn_or_with_it_for_a_place_too_long_leaves_both_to_others():
    async def play():
        threads, turn, over = Threads(1, 0.05), asyncio.Semaphore(1), asyncio.Event()

        async def quick():
            return "done"

        stuck, *waiting = await asyncio.gather(
            threads.run(over.wait), threads.run(quick, turn), threads.run(quick, turn), return_exceptions=True
        )
        assert [late.running for late in waiting] == [None, None]
        over.set()
        await stuck.running
        assert await threads.run(quick, turn) == await threads.run(quick, turn) == "done"

    asyncio.run(play())
