"""What a follower makes of snapshots and events, in whatever order they come."""

from dealguard_cli.adapters.analyses import Analysis, parse
from dealguard_cli.following import Followed


class Recorder:
    """An observer that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def changed(self, analysis: Analysis) -> None:
        self.told.append(f"{analysis.name} {analysis.phase}")

    def deleted(self, analysis: Analysis) -> None:
        self.told.append(f"{analysis.name} deleted")

    def disconnected(self, message: str) -> None:
        self.told.append("disconnected")

    def connected(self) -> None:
        self.told.append("connected")


def analysis(name: str, phase: str = "Pending", uid: str | None = None) -> Analysis:
    """An analysis in `phase`."""
    return parse(
        {
            "metadata": {
                "name": name,
                "namespace": "acme",
                "uid": uid or name,
                "generation": 1,
                "creationTimestamp": "2026-03-01T12:00:00Z",
            },
            "spec": {"document": {}},
            "status": {"phase": phase, "observedGeneration": 1},
        }
    )


def test_all_have_ended_when_each_is_finished_or_deleted() -> None:
    recorder = Recorder()
    followed = Followed([analysis("a"), analysis("b"), analysis("c")], recorder)
    followed.see(analysis("a", "Completed"))
    followed.see(analysis("b", "Failed"))
    assert [each.name for each in followed.unfinished] == ["c"]
    followed.see_deleted("c")
    assert followed.all_ended
    assert followed.is_deleted(followed.analyses[2])
    assert recorder.told == ["a Completed", "b Failed", "c deleted"]


def test_a_snapshot_shows_what_was_missed_while_disconnected() -> None:
    followed = Followed([analysis("a"), analysis("b")], Recorder())
    followed.see_snapshot([analysis("a", "Completed")])
    assert followed.all_ended
    assert [followed.is_deleted(each) for each in followed.analyses] == [False, True]


def test_a_finished_analysis_that_is_removed_stays_finished() -> None:
    followed = Followed([analysis("a")], Recorder())
    followed.see(analysis("a", "Completed"))
    followed.see_deleted("a")
    assert not followed.is_deleted(followed.analyses[0])


def test_strangers_and_namesakes_are_ignored() -> None:
    recorder = Recorder()
    followed = Followed([analysis("a", uid="first")], recorder)
    followed.see(analysis("a", "Completed", uid="recreated under the same name"))
    followed.see_deleted("stranger")
    assert recorder.told == []
    assert not followed.all_ended
