#!/usr/bin/env bash
# Installs what the other steps need and the machine lacks: Chromium and fonts for the browser
# test, PostgreSQL's server for the records, a C compiler for the race detector, and three Go tools
# into .ci/cache/bin.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. .ci/versions.sh

# has NAME... succeeds if one of the commands exists.
has() {
	local name
	for name in "$@"; do
		if command -v "$name" >/dev/null; then
			return 0
		fi
	done
	return 1
}

# installed PACKAGE succeeds if Debian's package is there.
installed() {
	[[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null) == ii* ]]
}

if has apt-get; then
	packages=()
	if [[ -z ${DOCKET_CHROMIUM:-} ]] && ! has chromium chromium-browser google-chrome google-chrome-stable; then
		packages+=(chromium)
	fi
	for font in fonts-noto-core fonts-noto-color-emoji; do
		installed "$font" || packages+=("$font")
	done
	# The package also makes a cluster of its own, which no test uses: each makes one in a temporary folder.
	has postgres || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || packages+=(postgresql)
	has cc gcc clang || packages+=(gcc libc6-dev)
	if ((${#packages[@]})); then
		echo "apt: ${packages[*]}"
		as_root=()
		((EUID == 0)) || as_root=(sudo)
		export DEBIAN_FRONTEND=noninteractive
		"${as_root[@]}" apt-get update -qq
		"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}"
	else
		echo "apt: nothing missing"
	fi
else
	echo "no apt-get here: without Chromium and PostgreSQL their tests say that they skip"
fi

export GOBIN="$PWD/.ci/cache/bin"
go install "honnef.co/go/tools/cmd/staticcheck@$STATICCHECK_VERSION"
go install "go.temporal.io/sdk/contrib/tools/workflowcheck@$WORKFLOWCHECK_VERSION"
go install "golang.org/x/vuln/cmd/govulncheck@$GOVULNCHECK_VERSION"
go version
ls "$GOBIN"
