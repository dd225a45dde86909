// Package policy says what the rules of the house are: the taxonomy of violent extremism with its
// floors, the enforcement ladder, the strike rule and the step that it recommends, what an opinion would
// bring about, who decides (two people, leads, an automatic rule), and the routing rules that turn a
// case and its findings into a route.
//
// Routing rules are a YAML file whose conditions are CEL expressions, checked in full when the file
// is loaded (docs/formats/routing-rules.md). They are evaluated in an activity, never in workflow
// code, and an unknown finding is never read as zero.
package policy
