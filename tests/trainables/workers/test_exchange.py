"""A job and its reports between a driver and its workers, without Ray."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from trainables.workers.exchange import Exchange

FAILURE = {"kind": "error", "cause": "killed"}


def play(scene: Callable[[Exchange], Awaitable[None]], idle_seconds: float = 30.0) -> None:
    """Run a scene in which nothing may wait for ever."""

    async def bounded() -> None:
        await asyncio.wait_for(scene(Exchange(1, idle_seconds)), timeout=5)

    asyncio.run(bounded())


def job(name: str) -> Any:
    return {"config": {"name": name}, "data": None, "folder": name}


async def begin(call: Awaitable[Any]) -> asyncio.Task:
    """Another process's call, on its way until it waits."""
    task = asyncio.ensure_future(call)
    for _ in range(10):
        await asyncio.sleep(0)
    return task


def test_a_worker_waits_for_a_job_and_the_driver_for_its_reports():
    async def scene(exchange: Exchange) -> None:
        taking = await begin(exchange.take(0))
        await exchange.assign(job("a"))
        assert await taking == 1
        assert await exchange.job(1) == job("a")
        telling = await begin(exchange.tell(1, {"epoch": 1}))
        assert await exchange.next_report(1) == {"epoch": 1}
        assert not telling.done()  # what Tune decides is not known yet
        asking = await begin(exchange.next_report(1))
        assert await telling is True
        await begin(exchange.tell(1, {"epoch": 2}))
        assert await asking == {"epoch": 2}

    play(scene)


def test_a_driver_that_hears_nothing_looks_after_its_workers_and_asks_again():
    async def scene(exchange: Exchange) -> None:
        await exchange.assign(job("a"))
        assert await exchange.next_report(0.01) is None
        await begin(exchange.tell(1, {"epoch": 1}))
        assert await exchange.next_report(0.01) == {"epoch": 1}

    play(scene)


def test_the_next_job_ends_the_one_before():
    async def scene(exchange: Exchange) -> None:
        await exchange.assign(job("a"))
        telling = await begin(exchange.tell(1, {"epoch": 1}))
        await exchange.next_report(1)
        await exchange.assign(job("b"))
        assert await telling is False
        assert await exchange.tell(1, {"epoch": 2}) is False  # a worker that was still at it
        assert await exchange.take(1) == 2
        assert await exchange.next_report(0.01) is None

    play(scene)


def test_a_worker_in_anothers_place_takes_the_same_job_and_tells_it_all_again():
    async def scene(exchange: Exchange) -> None:
        await exchange.assign(job("a"))
        await begin(exchange.tell(1, {"epoch": 1}))  # and then it is killed
        assert await exchange.take(0) == 1
        again = await begin(exchange.tell(1, {"epoch": 1, "again": True}))
        assert await exchange.next_report(1) == {"epoch": 1}
        assert await exchange.next_report(1) == {"epoch": 1, "again": True}
        await begin(exchange.next_report(1))
        assert await again is True

    play(scene)


def test_a_job_whose_workers_die_once_too_often_ends_with_why():
    async def scene(exchange: Exchange) -> None:
        await exchange.assign(job("a"))
        await exchange.workers_failed(FAILURE)
        assert await exchange.next_report(0.01) is None
        await begin(exchange.workers_failed(FAILURE))
        assert await exchange.next_report(1) == {"failure": FAILURE}

    play(scene)


def test_the_workers_of_one_job_do_not_count_for_the_next():
    async def scene(exchange: Exchange) -> None:
        for name in ("a", "b"):
            await exchange.assign(job(name))
            await begin(exchange.workers_failed(FAILURE))
            assert await exchange.next_report(0.01) is None

    play(scene)


def test_workers_go_when_the_exchange_is_closed():
    async def scene(exchange: Exchange) -> None:
        await exchange.assign(job("a"))
        telling = await begin(exchange.tell(1, {"epoch": 1}))
        await exchange.close()
        assert await telling is False
        assert await exchange.take(1) == 0

    play(scene)


def test_workers_that_nobody_has_use_for_leave_their_place_and_new_ones_take_the_next_job():
    async def scene(exchange: Exchange) -> None:
        await exchange.assign(job("a"))
        telling = await begin(exchange.tell(1, {"epoch": 1}))  # its last one
        assert await exchange.next_report(1) == {"epoch": 1}
        assert await telling is False
        assert await exchange.take(1) == 0  # so they end
        await exchange.assign(job("b"))
        assert await exchange.take(0) == 2

    play(scene, idle_seconds=0.05)


def test_a_driver_that_was_only_slow_goes_on_with_the_same_job():
    async def scene(exchange: Exchange) -> None:
        await exchange.assign(job("a"))
        telling = await begin(exchange.tell(1, {"epoch": 1}))
        assert await telling is False
        assert await exchange.next_report(1) == {"epoch": 1}  # nothing is lost
        assert await exchange.take(0) == 1  # by the workers that the driver then starts
        again = await begin(exchange.tell(1, {"epoch": 2}))
        assert await exchange.next_report(1) == {"epoch": 2}
        await begin(exchange.next_report(1))
        assert await again is True

    play(scene, idle_seconds=0.05)
