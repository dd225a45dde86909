// Package config is what an operator says about a deployment: one typed value, read strictly from a
// YAML file, from environment variables and from a few flags, in this order, later ones winning.
//
// One file serves all five roles. Check says for one role what is missing or cannot be meant; every
// fault names its key and where it was written. Secrets stand in no file of this kind: a key ending
// in _file names a file of their own, or the environment holds them.
package config
