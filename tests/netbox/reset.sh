#!/usr/bin/env bash
# Empties a running NetBox of events, circuits and providers; ids begin at 1 again; users and tokens stay.
# `--events` keeps providers and circuits.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
circuits="or tablename like 'circuits\\_%'"
[ "${1:-}" != --events ] || circuits=
sql -d "$DATABASE" <<SQL
do \$\$ declare tables text; begin
  select string_agg(format('%I', tablename), ', ') into tables from pg_tables where schemaname = 'public'
   and (tablename like 'netbox\\_circuitmaintenance%' or tablename like 'notices\\_%' $circuits
        or tablename in ('core_objectchange', 'extras_cachedvalue', 'extras_taggeditem', 'extras_tag', 'core_job'));
  execute 'truncate ' || tables || ' restart identity cascade';
end \$\$;
SQL
