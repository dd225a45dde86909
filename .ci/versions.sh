# The tools' versions; sourced. They are known to build with the Go version in go.mod.

export STATICCHECK_VERSION=v0.8.2
export WORKFLOWCHECK_VERSION=v0.6.0
export GOVULNCHECK_VERSION=v1.9.0
