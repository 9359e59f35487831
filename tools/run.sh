#!/bin/bash
# Starts the daemon just built, with demo detectors, in folders of its own, and says where to look. Ctrl-C ends all of it.
# Where no system bus runs, a private one is started and its address printed.
set -eu
cd "$(dirname "$0")/.."
HOME_DIR="${TOCSIN_RUN_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/tocsin-run}"
mkdir -p "$HOME_DIR/run"
chmod 700 "$HOME_DIR" "$HOME_DIR/run"
exec 9>"$HOME_DIR/lock"
flock -n 9 || { echo "run: it runs already in $HOME_DIR; end that with Ctrl-C, or name another folder in TOCSIN_RUN_DIR" >&2; exit 1; }
pids=()
finish() {
  trap - EXIT INT TERM
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    kill "${pids[$i]}" 2>/dev/null && wait "${pids[$i]}" 2>/dev/null || true
  done
}
trap finish EXIT
trap 'exit 0' INT TERM

private_bus() {
  command -v dbus-daemon >/dev/null || return 1
  cat >"$HOME_DIR/bus.conf" <<CONF
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><listen>unix:path=$HOME_DIR/run/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>
CONF
  rm -f "$HOME_DIR/run/bus"
  setsid dbus-daemon --config-file="$HOME_DIR/bus.conf" --nofork --nopidfile 2>"$HOME_DIR/run/bus.log" &
  pids+=($!)
  for _ in $(seq 500); do [ -S "$HOME_DIR/run/bus" ] && return 0; read -r -t 0.02 <> <(:) || true; done
  return 1
}

BUS=none
if private_bus; then
  BUS=system
  export DBUS_SYSTEM_BUS_ADDRESS="unix:path=$HOME_DIR/run/bus"
fi

[ -f "$HOME_DIR/tocsin.toml" ] || echo "# Configuration of 'make run'; see docs/man/tocsin.toml.5" >"$HOME_DIR/tocsin.toml"
SCRIPTS="$HOME_DIR/spark.d"
install -d -m 755 "$SCRIPTS"
install -m 755 examples/spark.d/* "$SCRIPTS/"
build/bin/tocsind --bus "$BUS" --state-dir "$HOME_DIR/state" --runtime-dir "$HOME_DIR/run" \
  --set "jobs.directories=[\"$SCRIPTS\"]" --config "$HOME_DIR/tocsin.toml" &
pids+=($!)
daemon=$!
export TOCSIN_SOCKET="$HOME_DIR/run/tocsin.sock"
for _ in $(seq 1500); do
  build/bin/tocsinctl status >/dev/null 2>&1 && break
  kill -0 "$daemon" 2>/dev/null || { echo "run: the daemon did not start; its messages are above" >&2; exit 1; }
  read -r -t 0.02 <> <(:) || true
done

cat <<TEXT

Tocsin runs. In another terminal, from this folder:

  export TOCSIN_SOCKET=$TOCSIN_SOCKET
  build/bin/tocsinctl status
  build/bin/tocsinctl query -n 20
  build/bin/tocsinctl follow
  build/bin/tocsinctl heartbeats
  curl --unix-socket $TOCSIN_SOCKET http://localhost/v1/events?limit=3
TEXT
[ "$BUS" = system ] && cat <<TEXT
  busctl --address=$DBUS_SYSTEM_BUS_ADDRESS tree org.tocsin.EventManager1
  busctl --address=$DBUS_SYSTEM_BUS_ADDRESS introspect org.tocsin.EventManager1 /org/tocsin/EventManager1
TEXT
echo
echo "Ctrl-C ends it. Events stay in $HOME_DIR/state."
echo
build/bin/tocsinctl demo ${TOCSIN_DEMO_SECONDS:+--seconds "$TOCSIN_DEMO_SECONDS"} &
pids+=($!)
wait "$!" || true
[ -n "${TOCSIN_DEMO_SECONDS:-}" ] || wait "$daemon" || true
