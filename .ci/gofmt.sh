#!/usr/bin/env bash
# Fails if a Go file that belongs to the repository is not formatted, and names it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

unformatted=$(git ls-files -z --cached --others --exclude-standard -- '*.go' | xargs -0 -r gofmt -l)
if [[ -n $unformatted ]]; then
	echo "not formatted:"
	echo "$unformatted"
	exit 1
fi
