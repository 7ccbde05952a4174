usage() {
	echo "usage: greeter [--version | --check | NAME...]"
}
