#!/usr/bin/env bash
# Stops the emulator that start.sh started, and the functions that it runs, by the process id that start.sh noted.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

id=$(running) || exit 0
kill -TERM -- "-$id" 2>/dev/null
for _ in $(seq 100); do kill -0 "$id" 2>/dev/null || exit 0; sleep 0.1; done
kill -KILL -- "-$id"
