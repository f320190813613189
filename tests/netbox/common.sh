# What start, reset and stop share: where the state is, and on which ports everything listens. To be sourced.
#
# NETBOX_TEST_DIR     the state's folder; by default target/netbox
# NETBOX_TEST_PLUGIN  circuitmaintenance (default), circuitmaintenance-0.6, notices, or none: each is a NetBox of its own

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
STATE=${NETBOX_TEST_DIR:-${CARGO_TARGET_DIR:-$HERE/../../target}/netbox}
mkdir -p "$STATE"
STATE=$(cd "$STATE" && pwd)
PLUGIN=${NETBOX_TEST_PLUGIN:-circuitmaintenance}

NETBOX_VERSION=4.7.3
PSYCOPG_VERSION=3.3.6 # what NetBox pins; the binary wheel in the place of a build
UV_VERSION=0.13.9
MODELS=
VENV=$STATE/venv
case $PLUGIN in
  circuitmaintenance) PACKAGE=netbox-circuitmaintenance==0.8.0 MODULE=netbox_circuitmaintenance REDIS_DATABASE=0
    # In the order of bootstrap.py.
    MODELS="PROVIDER CIRCUIT CIRCUITMAINTENANCE CIRCUITMAINTENANCENOTIFICATIONS CIRCUITMAINTENANCEIMPACT OBJECTCHANGE" ;;
  # A version of the same package, so an installation of its own.
  circuitmaintenance-0.6) PACKAGE=netbox-circuitmaintenance==0.6.0 MODULE=netbox_circuitmaintenance REDIS_DATABASE=8
    VENV=$STATE/venv-0.6 ;;
  notices) PACKAGE=netbox-notices==1.3.0 MODULE=notices REDIS_DATABASE=2 ;;
  none) PACKAGE='' MODULE='' REDIS_DATABASE=4 ;;
  *) echo "NETBOX_TEST_PLUGIN is \`$PLUGIN\`, supported are circuitmaintenance, circuitmaintenance-0.6, notices and none" >&2; exit 2 ;;
esac
INSTANCE=$STATE/$PLUGIN
DATABASE=netbox_${PLUGIN//[-.]/_}
TOKEN=0123456789abcdef0123456789abcdef01234567

# A port is chosen once, and kept in a file: port FILE
port() {
  [ -s "$1" ] || python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' >"$1"
  cat "$1"
}

# What is written in a pid file, if it is the program that it should be: pid FILE PROGRAM
pid() {
  local id
  id=$(head -n 1 "$1" 2>/dev/null) && [ -n "$id" ] && grep -qa "$2" "/proc/$id/cmdline" 2>/dev/null && echo "$id"
}

# PostgreSQL refuses to run as root, and its user has to get into the folder.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then
    setpriv --reuid=postgres --regid=postgres --clear-groups env HOME=/tmp "$@"
  else
    "$@"
  fi
}

sql() {
  PGOPTIONS='-c client_min_messages=warning' psql -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$(port "$STATE/postgres.port")" -U postgres "$@"
}
