case "${1:-}" in
"") usage ;;
--version) echo "greeter $VERSION" ;;
--check) greet check >/dev/null ;;
*)
	for name in "$@"; do
		greet "$name"
	done
	;;
esac
