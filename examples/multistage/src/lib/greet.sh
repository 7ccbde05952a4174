# greet NAME: prints the greeting of the file, or a plain one.
greet() {
	if [ -r "${GREETING_FILE:-}" ]; then
		cat "$GREETING_FILE"
	fi
	echo "Hello, $1!"
}
