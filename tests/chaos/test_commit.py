"""What the web tier rolls back never runs; what it commits always does."""

from tests.chaos.proof import prove
from tests.chaos.world import World


def test_what_was_rolled_back_never_runs_and_what_was_committed_always_does(world: World) -> None:
    world.dispatcher(), world.worker()
    for _ in range(2):
        world.web.chat()
        world.web.call()
    print("finished", world.finish())
    prove(world)
