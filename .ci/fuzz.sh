#!/usr/bin/env bash
# Runs every fuzz target of the repository for DOCKET_FUZZTIME (20s) after its seeds. A target
# that hangs is ended after five minutes, which leaves room for an instrumented build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fuzztime=${DOCKET_FUZZTIME:-20s}
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# fuzz FOLDER TARGET runs one target.
fuzz() {
	timeout --kill-after=10s 5m \
		go test -run '^$' -fuzz "^$2\$" -fuzztime "$fuzztime" -fuzzminimizetime 10x "./$1" 2>&1 | tee "$out"
}

# ended_badly succeeds if the last target failed by go test's own end of time, which sometimes
# comes out as an error, and not by an input.
ended_badly() {
	grep -q 'context deadline exceeded' "$out" && ! grep -q 'Failing input written' "$out"
}

failed=()
count=0
while read -r folder; do
	if ! list=$(go test -list '^Fuzz' "./$folder"); then
		echo "$list"
		failed+=("$folder does not build")
		continue
	fi
	for target in $(grep '^Fuzz' <<<"$list" || true); do
		count=$((count + 1))
		echo "--- $folder $target"
		if fuzz "$folder" "$target"; then
			continue
		fi
		if ended_badly && fuzz "$folder" "$target"; then
			continue
		fi
		failed+=("$folder $target")
	done
done < <(git grep -l --untracked -E '^func Fuzz[A-Z]' -- '*_test.go' | xargs -r -n1 dirname | sort -u)

echo "$count fuzz targets, ${#failed[@]} failed"
if ((${#failed[@]})); then
	printf 'failed: %s\n' "${failed[@]}"
	exit 1
fi
