package review

import (
	"errors"
	"net/http"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
)

// statuses is the one table of the domain's codes and their HTTP statuses. The API and the console
// answer by it.
var statuses = map[casefile.Code]int{
	casefile.CodeInvalid:     http.StatusUnprocessableEntity,
	casefile.CodeNotFound:    http.StatusNotFound,
	casefile.CodeConflict:    http.StatusConflict,
	casefile.CodeState:       http.StatusConflict,
	casefile.CodeStaleClaim:  http.StatusConflict,
	casefile.CodeNewEvidence: http.StatusConflict,
	casefile.CodeForbidden:   http.StatusForbidden,
	casefile.CodeNeedsSecond: http.StatusUnprocessableEntity,
	casefile.CodeTooLarge:    http.StatusRequestEntityTooLarge,
	casefile.CodeUnavailable: http.StatusServiceUnavailable,
	casefile.CodeUnproven:    http.StatusConflict,
	casefile.CodeUncertain:   http.StatusConflict,
	casefile.CodePaused:      http.StatusServiceUnavailable,
	casefile.CodeInternal:    http.StatusInternalServerError,
}

// HTTPStatus gives the HTTP status of an error: 401 for somebody who was not recognised, 504 for a
// verb whose answer did not come in time, and else what its code stands for. 200 for nil.
func HTTPStatus(err error) int {
	if err == nil {
		return http.StatusOK
	}
	if errors.Is(err, access.ErrUnauthenticated) {
		return http.StatusUnauthorized
	}
	var unknown *Unknown
	if errors.As(err, &unknown) && unknown.TimedOut {
		return http.StatusGatewayTimeout
	}
	status, known := statuses[casefile.ErrorCode(err)]
	if !known {
		return http.StatusInternalServerError
	}
	return status
}
