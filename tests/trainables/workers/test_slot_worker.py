"""What a worker does when the exchange that it works for is gone."""

import pytest
import ray
from ray.exceptions import ActorDiedError, ActorUnavailableError

from trainables.workers.slot_worker import ask


def test_a_dead_exchange_answers_that_there_is_no_more_work(monkeypatch):
    def get(answer):
        raise answer

    monkeypatch.setattr(ray, "get", get)
    assert ask(ActorDiedError(), 0) == 0
    with pytest.raises(ActorUnavailableError):  # it may come back
        ask(ActorUnavailableError("no answer", b"0" * 16), 0)


def test_a_living_one_answers_itself(monkeypatch):
    monkeypatch.setattr(ray, "get", lambda answer: answer)
    assert (ask(3, 0), ask(True, False)) == (3, True)
