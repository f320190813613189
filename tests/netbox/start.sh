#!/usr/bin/env bash
# Starts a real NetBox with a maintenance plugin on 127.0.0.1, for the tests. Installs what is missing from Debian and PyPI;
# all state is below target/netbox, all ports are free ones. What is up already stays up. The last lines of the
# output, also in target/netbox/PLUGIN/environment, say where it is and with which tokens.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
STARTED=$(date +%s)
say() { printf '[%3d s] %s\n' $(($(date +%s) - STARTED)) "$*" >&2; }
exec 9>"$STATE/lock" && flock 9
mkdir -p "$INSTANCE/conf" "$INSTANCE/log"

debian_packages() {
  local wanted=()
  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || wanted+=(postgresql)
  command -v redis-server >/dev/null || wanted+=(redis-server)
  [ ${#wanted[@]} -gt 0 ] || return 0
  local sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
  {
    $sudo apt-get -o DPkg::Lock::Timeout=300 update -qq || true
    # Neither may start a service of its own.
    $sudo env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${wanted[@]}"
  } >"$STATE/apt.log" 2>&1 || { tail -n 20 "$STATE/apt.log" >&2; exit 3; }
  say "installed ${wanted[*]}"
}

find_python() {
  local python
  for python in "${NETBOX_TEST_PYTHON:-}" "$(command -v python3.13)" "$(command -v python3.12)" "$HOME"/.pyenv/versions/3.1[2-9].*/bin/python "$(command -v python3)"; do
    [ -x "$python" ] && "$python" -c 'import sys, ensurepip, ssl; sys.exit(sys.version_info < (3, 12))' 2>/dev/null && echo "$python" && return
  done
  echo "NetBox needs Python 3.12 or newer: name one in NETBOX_TEST_PYTHON" >&2
  return 3
}

# uv shares its cache between clones, so that only the first one loads anything.
python_packages() {
  local wanted="netbox==$NETBOX_VERSION psycopg==$PSYCOPG_VERSION"
  local installed; installed=$(cat "$VENV/installed" 2>/dev/null || true)
  if [[ $installed != "$wanted"* ]]; then
    "$(find_python)" -m venv --clear "$VENV"
    "$VENV/bin/pip" install -q --disable-pip-version-check "uv==$UV_VERSION"
    echo "psycopg[binary,pool]==$PSYCOPG_VERSION" >"$STATE/overrides.txt"
  fi
  [[ "$installed " = *" $PACKAGE "* || -z $PACKAGE && -n $installed ]] && return
  # The two plugins may be installed beside each other; they only cannot be switched on together.
  # shellcheck disable=SC2086
  "$VENV/bin/uv" pip install -q --python "$VENV/bin/python" --override "$STATE/overrides.txt" "netbox==$NETBOX_VERSION" $PACKAGE
  [[ $installed = "$wanted"* ]] || installed=$wanted
  echo "$installed $PACKAGE" >"$VENV/installed"
  say "installed NetBox $NETBOX_VERSION ${PACKAGE:+with $PACKAGE}"
}

# A cluster that is quick and may be lost.
postgres() {
  local bin data port
  bin=$(find /usr/lib/postgresql -path '*/bin/initdb' | sort -V | tail -n 1 | xargs dirname)
  port=$(port "$STATE/postgres.port")
  # The folder may be one that the database's user cannot get into: then the cluster is elsewhere, and its place is noted.
  if [ ! -s "$STATE/postgres.folder" ]; then
    mkdir -p "$STATE/postgres" && { [ "$(id -u)" != 0 ] || chown postgres:postgres "$STATE/postgres"; }
    if as_postgres test -w "$STATE/postgres"; then echo "$STATE/postgres"; else as_postgres mktemp -d; fi >"$STATE/postgres.folder"
  fi
  data=$(cat "$STATE/postgres.folder")/data
  cd /tmp
  if ! as_postgres test -s "$data/PG_VERSION"; then
    as_postgres "$bin/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$STATE/initdb.log" 2>&1
  fi
  as_postgres "$bin/pg_ctl" -D "$data" status >/dev/null 2>&1 && return
  as_postgres "$bin/pg_ctl" -D "$data" -w -t 60 -l "$(dirname "$data")/log" -o "-p $port -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories= -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=60" start >/dev/null 9>&-
  say "PostgreSQL listens on $port"
}

redis() {
  local port; port=$(port "$STATE/redis.port")
  if ! pid "$STATE/redis.pid" redis-server >/dev/null; then
    redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --daemonize yes --dir "$STATE" \
      --pidfile "$STATE/redis.pid" --logfile "$STATE/redis.log" >/dev/null 9>&-
    say "Redis listens on $port"
  fi
}

configure() { # FOLDER DATABASE MODULE REDIS_DATABASE
  mkdir -p "$1/conf" "$1/log" && touch "$1/conf/__init__.py"
  cat >"$1/conf/configuration.py" <<CONFIGURATION
ALLOWED_HOSTS = ['127.0.0.1', 'localhost']
DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': '$2', 'USER': 'postgres', 'PASSWORD': '',
                         'HOST': '127.0.0.1', 'PORT': '$(port "$STATE/postgres.port")', 'CONN_MAX_AGE': 300}}
REDIS = {name: {'HOST': '127.0.0.1', 'PORT': $(port "$STATE/redis.port"), 'USERNAME': '', 'PASSWORD': '', 'DATABASE': number, 'SSL': False}
         for name, number in (('tasks', $4), ('caching', $4 + 1))}
SECRET_KEY = 'for-tests-only-for-tests-only-for-tests-only-for-tests-only'
API_TOKEN_PEPPERS = {1: 'for-tests-only-for-tests-only-for-tests-only-for-tests-only'}  # without it there are no v2 tokens
PLUGINS = [plugin for plugin in ('$3',) if plugin]
CENSUS_REPORTING_ENABLED = False
ISOLATED_DEPLOYMENT = True
RELEASE_CHECK_URL = None
TIME_ZONE = 'UTC'
CONFIGURATION
}

exists() { [ "$(sql -d postgres -Atc "select count(*) from pg_database where datname = '$1'")" = 1 ]; }

# NetBox's own tables take minutes, so they come from a dump of an empty NetBox. Without one (a new version) they are made,
# and the dump with them: commit it.
databases() {
  export DJANGO_SETTINGS_MODULE=netbox.settings
  if ! exists netbox_base; then
    sql -d postgres -c 'drop database if exists netbox_base_new' -c "create database netbox_base_new template template0 encoding 'UTF8'"
    local dump=$HERE/netbox-$NETBOX_VERSION.dump address=(-h 127.0.0.1 -p "$(port "$STATE/postgres.port")" -U postgres)
    if [ -s "$dump" ]; then
      pg_restore "${address[@]}" -d netbox_base_new --no-owner -j 2 "$dump"
    else
      configure "$STATE/base" netbox_base_new '' 6
      NETBOX_ROOT=$STATE/base "$VENV/bin/netbox" migrate --no-input >"$STATE/base/log/migrate.log" 2>&1 || { tail -n 30 "$STATE/base/log/migrate.log" >&2; exit 4; }
      pg_dump "${address[@]}" -Fc -Z9 -f "$dump.new" netbox_base_new && mv "$dump.new" "$dump"
    fi
    sql -d postgres -c 'alter database netbox_base_new rename to netbox_base'
    say "made NetBox's tables"
  fi
  configure "$INSTANCE" "$DATABASE" "$MODULE" "$REDIS_DATABASE"
  local wanted; wanted="$NETBOX_VERSION $PACKAGE $(cksum <"$HERE/bootstrap.py")"
  if [ "$(cat "$INSTANCE/migrated" 2>/dev/null)" != "$wanted" ] || ! exists "$DATABASE"; then
    exists "$DATABASE" || sql -d postgres -c "create database $DATABASE template netbox_base"
    NETBOX_ROOT=$INSTANCE "$VENV/bin/python" "$HERE/bootstrap.py" >"$INSTANCE/log/bootstrap.log" 2>&1 || { tail -n 30 "$INSTANCE/log/bootstrap.log" >&2; exit 5; }
    echo "$wanted" >"$INSTANCE/migrated"
    say "made the plugin's tables, users and tokens"
  fi
}

answers() { curl -fsS -o /dev/null -m 20 -H "Authorization: Token $TOKEN" "http://127.0.0.1:$1/api/status/" 2>/dev/null; }

netbox() {
  local port; port=$(port "$INSTANCE/port")
  if ! pid "$INSTANCE/gunicorn.pid" gunicorn >/dev/null; then
    rm -f "$INSTANCE/gunicorn.pid"
    (cd "$INSTANCE" && NETBOX_ROOT=$INSTANCE exec "$VENV/bin/gunicorn" --daemon --pid gunicorn.pid --bind "127.0.0.1:$port" --workers 2 \
      --threads 4 --preload --timeout 120 --graceful-timeout 3 --no-control-socket --log-file log/gunicorn.log netbox.wsgi 9>&-)
  fi
  for _ in $(seq 240); do answers "$port" && break; sleep 0.25; done
  answers "$port" || { tail -n 30 "$INSTANCE/log/gunicorn.log" >&2; exit 6; }
  say "NetBox $NETBOX_VERSION ${PACKAGE:+with $PACKAGE }listens on $port"
  cat >"$INSTANCE/environment" <<ENVIRONMENT
NETBOX_URL=http://127.0.0.1:$port
NETBOX_TOKEN=2222222222222222222222222222222222222222
NETBOX_TOKEN_V2=nbt_LambdaKey001.2222222222222222222222222222222222222222
NETBOX_TOKEN_ADMIN=$TOKEN
NETBOX_TOKEN_READ_ONLY=1111111111111111111111111111111111111111
NETBOX_TOKEN_NO_RIGHTS=3333333333333333333333333333333333333333
$(number=10; for model in $MODELS; do printf 'NETBOX_TOKEN_WITHOUT_%s=%040d\n' "$model" $number; number=$((number + 1)); done)
ENVIRONMENT
}

debian_packages
python_packages
postgres
redis
databases
netbox
cat "$INSTANCE/environment"
