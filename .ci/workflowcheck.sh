#!/usr/bin/env bash
# Fails if workflow code may behave differently when its history is replayed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ ! -d workflows ]]; then
	echo "no workflows here"
	exit 0
fi
workflowcheck ./workflows/...
