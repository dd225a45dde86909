package workflows

import (
	"errors"

	"go.temporal.io/sdk/temporal"

	"github.com/docket-triage/docket/casefile"
)

// refuse turns a domain error into the application error of a refused verb: never retried, its
// type the code, its details a RefusalDetails.
func refuse(err error, evidenceRevision int) error {
	var faults casefile.Faults
	if errors.As(err, &faults) && len(faults) > 0 {
		err = faults[0]
	}
	var e *casefile.Error
	if !errors.As(err, &e) {
		e = casefile.Errorf(casefile.CodeInternal, "internal error")
	}
	return temporal.NewNonRetryableApplicationError(e.Error(), string(e.Code), nil,
		RefusalDetails{Field: e.Field, Message: e.Message, EvidenceRevision: evidenceRevision})
}

// errorType gives the type of an activity's application error: a casefile.Code, or "internal".
func errorType(err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) && app.Type() != "" {
		return app.Type()
	}
	return string(casefile.CodeInternal)
}
