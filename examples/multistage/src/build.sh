#!/bin/sh
# Builds the program: sh build.sh VERSION OUTPUT
set -e
version=$1
output=$2
cache=${CACHE:-/var/cache/greeter}

mkdir -p "$cache" "$(dirname "$output")"
objects=
for unit in lib/*.sh main.sh; do
	sum=$(sha256sum "$unit" | cut -c1-16)
	object=$cache/$sum.o
	if [ -e "$object" ]; then
		echo "  cached   $unit"
	else
		echo "  compile  $unit"
		grep -v '^ *#' "$unit" >"$object"
	fi
	objects="$objects $object"
done

echo "  link     $output ($version)"
{
	echo '#!/bin/sh'
	echo "VERSION=$version"
	cat $objects
} >"$output"
chmod 0755 "$output"
