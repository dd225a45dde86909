package assembly

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"time"

	"go.temporal.io/api/serviceerror"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/docket-triage/docket/casefile"
)

// The pauses between two attempts at what does not answer.
const (
	firstPause = 250 * time.Millisecond
	mostPause  = 5 * time.Second
)

// refusals are what PostgreSQL says of a wrong user or password, a database that there is not, and
// one that this user may not connect to.
var refusals = []string{"28000", "28P01", "3D000", "42501"}

// persist repeats what fails because something does not answer, and says so each time; any other
// error, or the end of ctx, ends it.
func (p *Process) persist(ctx context.Context, what string, try func() error) error {
	pause := firstPause
	for {
		err := try()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return errors.Join(ctx.Err(), err)
		}
		if !passes(err) {
			return err
		}
		p.Log.WarnContext(ctx, "does not answer, trying again", "what", what, "error", err.Error())
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(ctx.Err(), err)
		case <-timer.C:
		}
		pause = min(2*pause, mostPause)
	}
}

// passes says whether an error may pass by itself. A database that answers and lets nobody in does not.
func passes(err error) bool {
	var answer interface{ SQLState() string } // of PostgreSQL
	if errors.As(err, &answer) && slices.Contains(refusals, answer.SQLState()) {
		return false
	}
	var down *serviceerror.Unavailable
	var late *serviceerror.DeadlineExceeded
	var unheard *url.Error // no answer over HTTP at all
	if errors.As(err, &down) || errors.As(err, &late) || errors.As(err, &unheard) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	if casefile.ErrorCode(err) == casefile.CodeUnavailable {
		return true
	}
	code := status.Code(err)
	return code == codes.Unavailable || code == codes.DeadlineExceeded
}
