"""AWS for the tests: ministack, with what it lacks and with AWS's answer where its own would hide a mistake of ours.

Everything is in memory and listens on 127.0.0.1 alone. Configuration comes from the environment, as ministack has it
(GATEWAY_PORT, MINISTACK_ACCOUNT_ID, MINISTACK_REGION, AUTH). With `--while-open` it ends, and with it the functions that it
runs, when its standard input is closed: a test that is killed leaves nothing behind.
"""

import os
import signal
import sys
import threading

import beside
import caches
import children
import configuration_sets
import connections
import containers
import databases
import functions
import http_apis
import kafka
import keys
import log_events
import mappings
import networks
import outcomes
import policies
import receipt_filters
import receipt_rules
import resources
import sending
import servers
import snapshots
import tag_index
from ministack.app import main


def end_with_standard_input():
    """Ends the process group at the end of standard input. Whoever asks for this starts us as the group's leader."""

    def wait():
        while os.read(sys.stdin.fileno(), 4096):
            pass
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    if "--while-open" in sys.argv[1:]:
        if os.getpgrp() != os.getpid():
            sys.exit("--while-open is for the leader of a process group")
        sys.argv.remove("--while-open")
        end_with_standard_input()
    extensions = [functions, policies, mappings, keys, containers, receipt_rules, receipt_filters, configuration_sets, log_events, resources, snapshots,
                  tag_index, children, http_apis, kafka, sending, outcomes, caches]
    if os.environ.get("EC2_AND_RDS") == "moto":
        # It takes two seconds to load.
        import on_moto

        extensions.append(on_moto)
    else:
        extensions += [databases, networks, servers, beside]
    for extension in (*extensions, connections):
        extension.install()
    main()
