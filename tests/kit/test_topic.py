"""Topics: values in order, a bound, and an honest count of what was missed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from musefs.kit.background import BackgroundTasks
from musefs.kit.occasionally import Occasionally
from musefs.kit.topic import Missed, Topic


async def test_every_subscriber_gets_every_value_in_order() -> None:
    topic: Topic[int] = Topic()
    with topic.subscribe() as one, topic.subscribe() as other:
        for value in range(5):
            topic.publish(value)
        topic.close()
        assert [value async for value in one] == [0, 1, 2, 3, 4]
        assert [value async for value in other] == [0, 1, 2, 3, 4]
    assert repr(topic) == "<Topic 0 subscribers>"


@given(values_max=st.integers(1, 8), published=st.lists(st.integers(1, 20), max_size=8))
async def test_values_and_misses_add_up_to_what_was_published(
    values_max: int, published: list[int]
) -> None:
    topic: Topic[int] = Topic()
    got: list[int] = []
    missed = 0
    number = 0
    with topic.subscribe(values_max) as news:
        for burst in published:
            for _ in range(burst):
                topic.publish(number)
                number += 1
            first = await anext(news)
            if isinstance(first, Missed):
                missed += first.count
            else:
                got.append(first)
        topic.close()
        async for value in news:
            if isinstance(value, Missed):
                missed += value.count
            else:
                got.append(value)
    assert len(got) + missed == number
    assert got == sorted(set(got))


async def test_a_slow_subscriber_is_told_before_it_gets_newer_values() -> None:
    topic: Topic[int] = Topic()
    with topic.subscribe(values_max=2) as news:
        for value in range(5):
            topic.publish(value)
        assert await anext(news) == Missed(3)
        assert await anext(news) == 3
        assert await anext(news) == 4


async def test_a_closed_topic_ends_those_who_come_later_too() -> None:
    topic: Topic[int] = Topic()
    topic.close()
    with topic.subscribe() as news:
        assert [value async for value in news] == []


async def test_a_subscriber_waits_for_news() -> None:
    topic: Topic[str] = Topic()
    tasks = BackgroundTasks(tasks_max=1)

    async def publish() -> None:
        topic.publish("late")

    with topic.subscribe() as news:
        tasks.start(publish)
        assert await anext(news) == "late"
    await tasks.aclose()


def test_only_the_first_in_a_while_is_let_through() -> None:
    now = 0.0
    gate = Occasionally(10.0, lambda: now)
    assert gate.due() == 1
    now = 9.0
    assert gate.due() is None
    assert gate.due() is None
    now = 10.0
    assert gate.due() == 3
