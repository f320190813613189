#!/usr/bin/env bash
# Starts the emulator of AWS on a free port of 127.0.0.1; with `--install` it only installs it, below target/emulator, which is
# all that the tests need: they start emulators of their own. What is up already stays up. The last lines of the output, also in
# target/emulator/environment, are what a shell needs to speak to it.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
exec 9>"$STATE/lock" && flock 9

find_python() {
  local python
  for python in "${EMULATOR_PYTHON:-}" "$(command -v python3)" "$HOME"/.pyenv/versions/3.1[0-9].*/bin/python; do
    [ -x "$python" ] && "$python" -c 'import sys, ensurepip, ssl; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && echo "$python" && return
  done
  echo "The emulator needs Python 3.10 or newer: name one in EMULATOR_PYTHON" >&2
  return 3
}

install() {
  cmp -s "$HERE/requirements.txt" "$VENV/installed.txt" && return
  "$(find_python)" -m venv --clear "$VENV"
  "$VENV/bin/pip" install -q --disable-pip-version-check --no-deps -r "$HERE/requirements.txt"
  cp "$HERE/requirements.txt" "$VENV/installed.txt"
}

answers() { curl -fsS -o /dev/null -m 5 "$1/_ministack/health" 2>/dev/null; }

start() {
  local port
  port=$("$VENV/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  # Nothing of the environment but what is named: the functions that it runs inherit it.
  setsid env -i PATH=/usr/bin:/bin HOME="$STATE" TMPDIR="${TMPDIR:-/tmp}" LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 BIND_HOST=127.0.0.1 \
    GATEWAY_PORT="$port" AWS_ENDPOINT_URL="http://127.0.0.1:$port" MINISTACK_ACCOUNT_ID=123456789012 MINISTACK_REGION=eu-west-1 LAMBDA_ACCOUNT_CONCURRENCY=1000 \
    IOT_MTLS_ENABLED=0 LOG_LEVEL=INFO AUTH="${AUTH:-false}" \
    "$VENV/bin/python" "$HERE/emulator.py" >"$STATE/log" 2>&1 </dev/null 9>&- &
  echo $! >"$STATE/pid"
  for _ in $(seq 100); do answers "http://127.0.0.1:$port" && break; sleep 0.1; done
  answers "http://127.0.0.1:$port" || { tail -n 30 "$STATE/log" >&2; exit 4; }
  cat >"$STATE/environment" <<ENVIRONMENT
AWS_ENDPOINT_URL=http://127.0.0.1:$port
AWS_REGION=eu-west-1
AWS_ACCESS_KEY_ID=test
AWS_SECRET_ACCESS_KEY=test
ENVIRONMENT
}

install
[ "${1:-}" = --install ] && exit
running >/dev/null || start
cat "$STATE/environment"
