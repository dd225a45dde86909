//go:build crashpoints

package crashpoint

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// Armed says whether the program was built with the tag crashpoints.
const Armed = true

// target is the step that ends this process, "" for none; left are the passes until then.
var (
	target string
	when   = os.Getenv(EnvWhen)
	left   atomic.Int64
)

func init() {
	at := os.Getenv(EnvAt)
	if at == "" {
		return
	}
	step, count, found := strings.Cut(at, ":")
	n, err := strconv.ParseInt(count, 10, 64)
	if !found || step == "" || err != nil || n < 1 {
		panic(EnvAt + " must be a step and a count, such as 19:2, not " + strconv.Quote(at))
	}
	target = step
	left.Store(n)
}

// Reach marks a step of the life of a case: its effect has just been made. Where it is the step that
// this process was started for, for the last of its passes, the process is killed.
func Reach(step string) {
	if step != target {
		return
	}
	if when != "" {
		_, err := os.Stat(when)
		if err != nil {
			return
		}
	}
	if left.Add(-1) != 0 {
		return
	}
	err := syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
	if err != nil {
		panic("kill this process: " + err.Error())
	}
	select {} // nothing of what follows may happen while the signal is on its way
}
