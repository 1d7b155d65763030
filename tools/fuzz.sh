#!/usr/bin/env bash
# Runs every fuzz target of the tree in turn, for the given time each.
set -euo pipefail
each="${1:-30s}"
grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r dir; do
	for target in $(grep -h --include='*_test.go' -o '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | awk '{print $2}'); do
		echo "== $dir $target ($each)"
		go test -run '^$' -fuzz "^${target}\$" -fuzztime "$each" "$dir"
	done
done
