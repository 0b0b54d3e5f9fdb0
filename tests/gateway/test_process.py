"""What a server asks of the process that it runs in."""

import subprocess
import sys

CHECK = """
import gc, resource
from chargeloop.gateway.ocpp import prepare_process
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
prepare_process()
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard, gc.get_freeze_count() > 10_000, gc.isenabled())
"""


def test_a_server_may_open_all_files_it_can_and_is_not_searched_for_cycles_all_the_time() -> None:
    done = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "True"]
