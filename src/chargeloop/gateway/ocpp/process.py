"""What a process needs that serves thousands of sockets."""

import gc
import resource

YOUNG = 50_000  # objects made and not yet gone before anybody looks for cycles; Python's own 700 makes that a sixth of all work


def prepare_process() -> None:
    """For servers, once all is loaded: as many sockets as this user may have, and a garbage collector out of the way.

    What lives now lives as long as the process, so it is not looked through again for cycles.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 100)
