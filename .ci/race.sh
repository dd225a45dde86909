#!/usr/bin/env bash
# Runs the tests of the packages that share memory between goroutines under the race detector.
# None of them may link the Temporal server: it would be compiled a second time, for minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folders=(
	ledger
	records
	indexing
	detector
	enforce
	telling
	config
	stream
	evidence
	access
	activities
	review
	worker
	cmd/internal
	cmd/standalone/internal/quietlog
)

packages=()
for folder in "${folders[@]}"; do
	if [[ -d $folder ]]; then
		while read -r package; do
			packages+=("$package")
		done < <(go list "./$folder/...")
	fi
done
if ((${#packages[@]} == 0)); then
	echo "none of the packages exists"
	exit 1
fi
if go list -deps -test "${packages[@]}" | grep '^go\.temporal\.io/server/' | head -n 3; then
	echo "a package of this list links the Temporal server"
	exit 1
fi
go test -race "${packages[@]}"
