"""What an endpoint is given at a time depends on how it fares, and never takes what others need."""

from apps.events.relay.lanes import FAILING, FIRST_WIDTH, LONGEST_REST, PROVEN, UNKNOWN, WIDEST, Lane, Lanes


def test_a_lane_begins_narrow_and_widens_with_success():
    lane = Lane()
    assert lane.room(0) == FIRST_WIDTH
    for _ in range(100):
        lane.succeeded()
    assert (lane.room(0), lane.standing) == (WIDEST, PROVEN)
    lane.begun = dict.fromkeys(range(10), 0.0)
    assert lane.room(0.5) == WIDEST - 10


def test_nothing_is_added_while_something_hangs():
    for standing in (UNKNOWN, FAILING):
        lane = Lane(width=10, standing=standing, begun={1: 100.0, 2: 100.9})
        assert lane.room(100.9) == 8
        assert lane.room(101.1) == 0


def test_one_lost_call_does_not_stop_an_endpoint_that_takes_the_others():
    lane = Lane(width=4, standing=PROVEN, begun=dict.fromkeys(range(2), 100.0) | {2: 101.0})
    assert lane.room(101.5) == 1
    lane.begun[2] = 100.0
    assert lane.room(101.5) == 0
    assert Lane(width=1, standing=PROVEN, begun={1: 100.0}).room(101.5) == 0


def test_an_odd_failure_halves_a_lane_and_a_row_of_them_leaves_one():
    lane = Lane(width=16, standing=PROVEN)
    lane.failed(0, hung=False)
    assert (lane.width, lane.standing) == (8, PROVEN)
    lane.failed(0, hung=False)
    assert (lane.width, lane.standing) == (1, FAILING)
    lane.succeeded()
    assert (lane.width, lane.standing, lane.resting_until) == (2, PROVEN, 0.0)
    lane.failed(0, hung=True)
    assert (lane.width, lane.standing) == (1, FAILING)


def test_a_lane_that_only_fails_rests_longer_and_longer():
    lane, rests = Lane(), []
    for _ in range(12):
        lane.failed(0, hung=False)
        rests.append(lane.resting_until)
        assert lane.room(lane.resting_until - 0.01) == 0
        assert lane.room(lane.resting_until) == 1
    assert rests[:3] == [0.1, 0.2, 0.4]
    assert rests == sorted(rests)
    assert rests[-1] == LONGEST_REST


def test_those_who_hang_leave_room_for_the_others():
    lanes = Lanes(threads=64)
    for pk in range(100):
        lane = lanes.of(pk)
        if lanes.share(0).room_of(pk):
            lane.begun = {pk: 0.0}
    # Half of the threads went to endpoints nobody knew.
    assert sum(len(lane.begun) for lane in lanes._lanes.values()) == 32
    assert lanes.share(0).free == {PROVEN: 32, UNKNOWN: 0, FAILING: 16}
    lanes.of(200).succeeded()
    assert lanes.share(0).room_of(200) == FIRST_WIDTH + 1
    for pk in range(100):
        lanes.of(pk).begun = {}
        lanes.of(pk).failed(0, hung=True)
    # From then on they are known for what they are.
    assert lanes.share(10).free == {PROVEN: 64, UNKNOWN: 32, FAILING: 16}
    chosen = lanes.share(10).choose([(pk, [pk]) for pk in range(100)] + [(300, [1]), (200, [2])])
    assert sum(pk < 100 for pk, _ in chosen) == 16
    assert {200, 300} <= {pk for pk, _ in chosen}


def test_nobody_gets_more_threads_than_there_are():
    lanes = Lanes(threads=4)
    lanes.of(1).standing = PROVEN
    chosen = lanes.share(0).choose([(1, [n]) for n in range(10)])
    assert len(chosen) == 4
    lanes.of(1).begun = dict.fromkeys(range(4), 0.0)
    assert lanes.share(0).full == [1]
    assert lanes.share(0).choose([(2, [1])]) == []


def test_idle_lanes_are_forgotten():
    lanes = Lanes(threads=4)
    lanes.of(1).used_at = 100
    lanes.of(2).used_at = 100
    lanes.of(2).begun = {7: 100.0}
    lanes.forget(650)
    assert set(lanes._lanes) == {1, 2}
    lanes.forget(701)
    assert set(lanes._lanes) == {2}
