#!/usr/bin/env bash
# Makes every generated file anew, by its go:generate line, and fails if one differs from what is
# committed. Packages under testdata are left out by ./..., so they are named one by one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

patterns=(./...)
# Patterns with dots never reach into testdata, so each of its packages is named.
mapfile -t data < <(git ls-files --cached --others --exclude-standard -- 'testdata/*.go' | xargs -r -n1 dirname | sort -u | sed 's|^|./|')
if ((${#data[@]})); then
	go vet "${data[@]}"
	go test "${data[@]}"
	patterns+=("${data[@]}")
fi
before=$(git status --porcelain)
go generate "${patterns[@]}"
after=$(git status --porcelain)
if [[ $after != "$before" ]]; then
	echo "generated files differ from the committed ones:"
	diff <(echo "$before") <(echo "$after") || true
	exit 1
fi
