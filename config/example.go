package config

import (
	_ "embed"
	"slices"
)

//go:embed example.yaml
var example []byte

// Example is a commented file with every key in it, for Docket on one machine with PostgreSQL.
func Example() []byte { return slices.Clone(example) }
