package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review/client"
	"github.com/docket-triage/docket/review/intake"
)

// Door hands a detector's flags to the serve role over HTTP, many in one request.
type Door struct {
	Client *client.Client
}

// SubmitFlags hands flags in. A line that the door could not take now makes the whole call an error,
// to be repeated: the ones it took already are answered as before.
func (d Door) SubmitFlags(ctx context.Context, flags []casefile.Flag) (refused []error, err error) {
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	for _, f := range flags {
		err = enc.Encode(f)
		if err != nil {
			return nil, fmt.Errorf("encode a flag: %w", err)
		}
	}
	answered := 0
	var later error
	err = d.Client.SubmitFlags(ctx, &lines, func(r intake.LineResult) error {
		answered++
		switch {
		case r.Error == nil:
		case r.Error.Code == casefile.CodeUnavailable || r.Error.Code == casefile.CodeInternal:
			later = casefile.Errorf(r.Error.Code, "a flag could not be taken now")
		default:
			refused = append(refused, &casefile.Error{Code: r.Error.Code, Field: r.Error.Field, Message: r.Error.Message})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("hand flags in: %w", err)
	}
	if later != nil {
		return nil, later
	}
	if answered != len(flags) {
		return nil, casefile.Errorf(casefile.CodeUnavailable, "%d of %d flags were answered", answered, len(flags))
	}
	return refused, nil
}
