#!/usr/bin/env bash
# Makes every generated file anew, by its go:generate line, and fails if one differs from what is
# committed. Packages under testdata are left out by ./..., so they are named.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

patterns=(./...)
if [[ -n $(git ls-files --cached --others --exclude-standard -- 'testdata/*.go') ]]; then
	patterns+=(./testdata/...)
	go vet ./testdata/...
	go test ./testdata/...
fi
before=$(git status --porcelain)
go generate "${patterns[@]}"
after=$(git status --porcelain)
if [[ $after != "$before" ]]; then
	echo "generated files differ from the committed ones:"
	diff <(echo "$before") <(echo "$after") || true
	exit 1
fi
