// Package detector reads events and says which accounts need a look.
//
// It folds the text of each post, looks for the terms of a rule set, keeps a bounded window of
// what it found for each account, and makes a flag when an account's score reaches the threshold.
// Only event times count, never the clock of the machine, so the same stream always gives the same
// flags. A flag is a claim for people to judge: it decides nothing.
package detector
