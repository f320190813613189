#!/usr/bin/env bash
# Stops what start.sh started, by the process ids that it noted. `--netbox` stops NetBox alone, `--wipe` removes the data
# too, but not what was installed.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

end() { # PID_FILE PROGRAM SIGNAL
  local id
  id=$(pid "$1" "$2") || return 0
  kill "-$3" "$id"
  for _ in $(seq 300); do kill -0 "$id" 2>/dev/null || return 0; sleep 0.1; done
  kill -KILL "$id"
}

if [ "${1:-}" = --netbox ]; then
  end "$INSTANCE/gunicorn.pid" gunicorn TERM
  exit
fi
for file in "$STATE"/*/gunicorn.pid; do end "$file" gunicorn TERM; done
end "$STATE/redis.pid" redis-server TERM
cluster=$(cat "$STATE/postgres.folder" 2>/dev/null) && end "$cluster/data/postmaster.pid" postgres INT
if [ "${1:-}" = --wipe ]; then
  rm -rf "${cluster:-$STATE/postgres}" "$STATE"/postgres.* "$STATE"/redis.* "$STATE"/{base,circuitmaintenance,circuitmaintenance-0.6,notices,none}
fi
exit 0
