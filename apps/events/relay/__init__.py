"""What carries facts out of the house. A carrier is a function `run(stop)` that works until the event is set."""
