#!/usr/bin/env bash
# Runs every fuzz target of the repository for DOCKET_FUZZTIME (20s) after its seeds. A target
# that hangs is ended after five minutes, which leaves room for an instrumented build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fuzztime=${DOCKET_FUZZTIME:-20s}
failed=()
count=0
while read -r folder; do
	targets=$(go test -list '^Fuzz' "./$folder" | grep '^Fuzz' || true)
	for target in $targets; do
		count=$((count + 1))
		echo "--- $folder $target"
		if ! timeout --kill-after=10s 5m \
			go test -run '^$' -fuzz "^$target\$" -fuzztime "$fuzztime" "./$folder"; then
			failed+=("$folder $target")
		fi
	done
done < <(git grep -l --untracked -E '^func Fuzz[A-Z]' -- '*_test.go' | xargs -r -n1 dirname | sort -u)

echo "$count fuzz targets, ${#failed[@]} failed"
if ((${#failed[@]})); then
	printf 'failed: %s\n' "${failed[@]}"
	exit 1
fi
