#!/usr/bin/env python3
"""Side by side with the Python package circuit-maintenance-parser: mails a second on one core, over the same mails.

    python3 crates/carriers/benches/peer.py [FOLDER]

FOLDER holds PROVIDER/…/*.eml; without it the corpus beside the repository, or where MAINTENANCE_CORPUS says. The package
is installed below target/. Both sides read each mail from memory, in turn, several rounds; the ratio is that of the medians.
"""
import os
import pathlib
import re
import statistics
import subprocess
import sys
import venv

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
VERSION = "2.12.0"
ROUNDS = 3

PEER = r"""
import email, email.policy, logging, pathlib, sys, time
logging.disable(logging.CRITICAL)
from circuit_maintenance_parser import NotificationData, init_provider
from circuit_maintenance_parser.errors import ProviderError

mails = [(path.relative_to(sys.argv[1]).parts[0], path.read_bytes()) for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.eml"))]
read = failed = 0

def one_pass():
    global read, failed
    read = failed = 0
    for slug, raw in mails:
        provider = init_provider(slug) or init_provider()
        try:
            message = email.message_from_bytes(raw, policy=email.policy.default)
            provider.get_maintenances(NotificationData.init_from_emailmessage(message))
            read += 1
        except Exception:
            failed += 1

one_pass()
start = time.process_time()
passes = 0
while time.process_time() - start < 5:
    one_pass()
    passes += 1
print(len(mails) * passes / (time.process_time() - start), read, failed)
"""


def peer(python, folder):
    output = subprocess.run([python, "-c", PEER, folder], check=True, capture_output=True, text=True).stdout.split()
    return float(output[0]), int(output[1]), int(output[2])


def ours(folder):
    # As the function is compiled.
    command = ["cargo", "bench", "--quiet", "-p", "notice", "--profile", "lambda", "--bench", "parse", "--", "all_mails"]
    environment = dict(os.environ, MAINTENANCE_CORPUS=str(folder))
    output = subprocess.run(command, check=True, capture_output=True, text=True, cwd=REPOSITORY, env=environment).stdout
    # divan's columns: fastest, slowest, median, mean; the line below the times counts the items a second.
    rates = re.findall(r"([\d.]+) ([KM]?)item/s", output)
    return float(rates[2][0]) * {"": 1, "K": 1e3, "M": 1e6}[rates[2][1]]


def main():
    default = os.environ.get("MAINTENANCE_CORPUS", REPOSITORY.parent / "shared" / "corpus")
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else default).resolve()
    if not any(folder.rglob("*.eml")):
        sys.exit(f"no mails below {folder}")
    environment = REPOSITORY / "target" / "peer"
    python = environment / "bin" / "python"
    if not python.exists():
        venv.create(environment, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", f"circuit-maintenance-parser=={VERSION}"], check=True)
    peers, mine = [], []
    for _ in range(ROUNDS):
        rate, read, failed = peer(python, folder)
        peers.append(rate)
        mine.append(ours(folder))
        print(f"circuit-maintenance-parser {rate:8.1f} mails/s ({read} read, {failed} failed)   ours {mine[-1]:8.1f} mails/s")
    print(f"median ratio: {statistics.median(mine) / statistics.median(peers):.1f}")


if __name__ == "__main__":
    main()
