package assembly

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/config"
)

func TestPasses(t *testing.T) {
	t.Parallel()
	down := func(err error) error {
		return fmt.Errorf("open: %w", &casefile.Error{Code: casefile.CodeUnavailable, Message: "the records do not answer", Err: err})
	}
	for _, err := range []error{
		serviceerror.NewUnavailable("x"), serviceerror.NewDeadlineExceeded("x"), status.Error(codes.Unavailable, "x"),
		fmt.Errorf("dial: %w", context.DeadlineExceeded), &url.Error{Op: "Get", URL: "http://127.0.0.1:1", Err: errors.New("refused")},
		down(errors.New("no route")), down(&pgconn.PgError{Code: "57P03"}),
	} {
		require.True(t, passes(err), "%v", err)
	}
	for _, err := range []error{
		errors.New("x"), serviceerror.NewNamespaceNotFound("x"), status.Error(codes.Unauthenticated, "x"), casefile.Invalid("f", "x"),
		down(&pgconn.PgError{Code: "28P01"}), down(&pgconn.PgError{Code: "28000"}), down(&pgconn.PgError{Code: "3D000"}),
	} {
		require.False(t, passes(err), "%v", err)
	}
}

func TestPersist(t *testing.T) {
	t.Parallel()
	p, log := process(t, testConfig(t), config.RoleWork)
	tries := 0
	err := p.persist(t.Context(), "the engine", func() error {
		tries++
		if tries < 3 {
			return casefile.Errorf(casefile.CodeUnavailable, "down")
		}
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, 3, tries)
	require.Contains(t, log.String(), `"msg":"does not answer, trying again","what":"the engine","error":"down"`)

	wrong := errors.New("wrong for good")
	require.ErrorIs(t, p.persist(t.Context(), "x", func() error { tries++; return wrong }), wrong)
	require.Equal(t, 4, tries)

	ctx, cancel := context.WithCancel(t.Context())
	err = p.persist(ctx, "x", func() error {
		cancel()
		return casefile.Errorf(casefile.CodeUnavailable, "down")
	})
	require.ErrorIs(t, err, context.Canceled)
}
