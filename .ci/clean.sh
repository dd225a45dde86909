#!/usr/bin/env bash
# Fails if the steps left files behind or changed some: $1 is what `git status --porcelain` said
# before them, nothing in a fresh clone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

after=$(git status --porcelain)
if [[ $after != "$1" ]]; then
	echo "the tree changed; before:"
	echo "${1:-(clean)}"
	echo "after:"
	echo "${after:-(clean)}"
	exit 1
fi
