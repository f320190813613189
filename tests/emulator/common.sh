# What start and stop share: where the state is. To be sourced.
#
# EMULATOR_TEST_DIR  the state's folder; by default target/emulator
# EMULATOR_PYTHON    a Python of version 3.10 or newer; by default one is looked for

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
STATE=${EMULATOR_TEST_DIR:-${CARGO_TARGET_DIR:-$HERE/../../target}/emulator}
mkdir -p "$STATE"
STATE=$(cd "$STATE" && pwd)
VENV=$STATE/venv

# What is written in the pid file, if it is the emulator.
running() {
  local id
  id=$(cat "$STATE/pid" 2>/dev/null) && [ -n "$id" ] && grep -qa emulator.py "/proc/$id/cmdline" 2>/dev/null && echo "$id"
}
