package casefile

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

type numbered struct{ words string }

func (n numbered) Error() string { return n.words }
func (n numbered) Code() int     { return 517 }

type stated struct{ words string }

func (s stated) Error() string    { return s.words }
func (s stated) SQLState() string { return "40001 and words" }

func TestPlainErrorQuotesNoCause(t *testing.T) {
	t.Parallel()
	quoting := errors.New(`failed to parse query [somebody's words]`)
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"nil":             {nil, ""},
		"an engine's own": {fmt.Errorf("search somebody's words: %w", quoting), "*errors.errorString"},
		"ours about it":   {fmt.Errorf("somebody's words: %w", &Error{Code: CodeUnavailable, Op: "search", Message: "the index is down", Err: quoting}), "search: the index is down: *errors.errorString"},
		"ours alone":      {fmt.Errorf("somebody's words: %w", Invalid("days", "too many")), "days: too many"},
		"a number":        {fmt.Errorf("write: %w", numbered{"somebody's words"}), "casefile.numbered 517"},
		"a state":         {fmt.Errorf("write: %w", stated{"somebody's words"}), `casefile.stated "40001"`},
		"a lost address":  {&url.Error{Op: "Post", URL: "https://platform.example/somebody's words", Err: &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}}, "connection refused"},
		"a missing file":  {&os.PathError{Op: "open", Path: "/somebody's words", Err: syscall.ENOENT}, "no such file or directory"},
		"a time-out":      {fmt.Errorf("somebody's words: %w", context.DeadlineExceeded), "context deadline exceeded"},
		"several": {errors.Join(quoting, &Error{Code: CodeInternal, Message: "stopped"}, fmt.Errorf("x: %w", syscall.ENOSPC)),
			"stopped: *errors.errorString: no space left on device"},
		"two of ours": {errors.Join(Errorf(CodeInvalid, "first"), Errorf(CodeInvalid, "second")), "first: second"},
	} {
		got := PlainError(c.err)
		require.Equal(t, c.want, got, name)
		require.NotContains(t, got, "somebody's words", name)
	}
}
