#!/bin/sh
# buildctl with a daemon of its own, which lives as long as the command does. BuildKit's image has a script of this name.
# buildctl alone needs no daemon either; this is for those who give options to one.
#
#   BUILDKITD_FLAGS               options of the daemon
#   BUILDCTL, BUILDKITD           the programs (default: buildctl and buildkitd on the PATH)
#   BUILDCTL_CONNECT_RETRIES_MAX  how often the daemon is asked whether it is up, a second each (default: 10)
#   ROOTLESSKIT                   makes the user namespace for an ordinary user (default: rootlesskit)
set -eu

buildctl=${BUILDCTL:-buildctl}
launcher=
[ "$(id -u)" = 0 ] || launcher=${ROOTLESSKIT:-rootlesskit}

dir=$(mktemp -d)
address=unix://$dir/buildkitd.sock
# Unquoted: these are words of a command line.
# shellcheck disable=SC2086
$launcher "${BUILDKITD:-buildkitd}" ${BUILDKITD_FLAGS:-} --addr "$address" >"$dir/log" 2>&1 &
daemon=$!
end() {
  status=$?
  trap - EXIT
  kill "$daemon" 2>/dev/null || true
  wait "$daemon" || true
  rm -rf "$dir"
  exit "$status"
}
trap end EXIT
trap 'exit 130' INT TERM HUP

fail() {
  echo "error: $1; it said:" >&2
  cat "$dir/log" >&2
  exit 1
}

left=${BUILDCTL_CONNECT_RETRIES_MAX:-10}
until "$buildctl" --addr "$address" --timeout 1 debug info >/dev/null 2>&1; do
  kill -0 "$daemon" 2>/dev/null || fail "buildkitd has ended"
  [ "$left" -gt 0 ] || fail "buildkitd at $address does not answer"
  left=$((left - 1))
  sleep 0.1
done

"$buildctl" --addr "$address" "$@"
