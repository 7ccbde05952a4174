#!/bin/sh
# Tests the program: sh run.sh PROGRAM
set -e
program=$1

expect() {
	if [ "$1" != "$2" ]; then
		echo "FAIL: expected '$2', got '$1'"
		exit 1
	fi
	echo "ok: $2"
}

expect "$("$program" moon)" "Hello, moon!"
expect "$("$program" a b)" "Hello, a!
Hello, b!"
"$program" --check
