#!/usr/bin/env bash
# Builds the site into target/docs/site. A broken link, a missing anchor or a page without a place in the contents is a failure.
# Needs Python 3.11 or newer; its packages go into target/docs/venv.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=target/docs/venv

find_python() {
  local python
  for python in "${DOCS_PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 "$HOME"/.pyenv/versions/3.1[1-9].*/bin/python; do
    [ -n "$python" ] && "$python" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$python" && return
  done
  echo "the site needs Python 3.11 or newer: name one in DOCS_PYTHON" >&2
  return 3
}

if ! cmp -s docs/requirements.txt "$venv/installed"; then
  "$(find_python)" -m venv --clear "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement docs/requirements.txt
  "$venv/bin/pip" check --disable-pip-version-check >/dev/null
  cp docs/requirements.txt "$venv/installed"
fi

# Without the cache of an earlier build: its warnings would not be shown again.
"$venv/bin/sphinx-build" --builder html --conf-dir docs --fresh-env --nitpicky --fail-on-warning --keep-going --quiet . target/docs/site
echo "target/docs/site/index.html"
