//go:build !crashpoints

package crashpoint

// Armed says whether the program was built with the tag crashpoints. What only finds out which step
// was passed stands behind it, and is not compiled otherwise.
const Armed = false

// Reach marks a step of the life of a case: its effect has just been made. Here it does nothing.
func Reach(string) {}
