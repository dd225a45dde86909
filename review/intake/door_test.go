package intake_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review/intake"
	"github.com/docket-triage/docket/review/reviewtest"
)

var errDown = errors.New("connection refused")

func TestSubmitGivesTheCaseAndSealsTheWholeFlag(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	flag := b.Flag(1, "flag-1")

	res, err := b.Door.Submit(ctx, b.Who("detector"), b.JSON(flag))
	require.NoError(t, err)
	require.Equal(t, "flag-1", res.ID)
	require.Equal(t, records.FlagAccepted, res.Status)
	require.NotEmpty(t, res.Case)

	row, err := b.Records.Flag(ctx, b.Identity.Flag(reviewtest.Platform, "flag-1"))
	require.NoError(t, err)
	require.Equal(t, b.Who("detector").Person, row.Source)
	data, err := b.Sealer.Open(ctx, row.Account, evidence.KindFlag, row.Sealed)
	require.NoError(t, err)
	var sealed casefile.Flag
	require.NoError(t, json.Unmarshal(data, &sealed))
	require.Equal(t, flag, sealed)

	account, err := b.Records.Account(ctx, row.Account)
	require.NoError(t, err)
	data, err = b.Sealer.Open(ctx, row.Account, evidence.KindProfile, account.Profile)
	require.NoError(t, err)
	var profile evidence.Profile
	require.NoError(t, json.Unmarshal(data, &profile))
	require.Equal(t, evidence.Profile{Platform: reviewtest.Platform, Account: flag.Account}, profile)
}

func TestSubmitRetryGetsTheSameAnswerForEver(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	flag := b.Flag(1, "flag-1")
	first := b.Submit(flag)
	require.Equal(t, 1, b.Workflows.Signals())

	for range 3 {
		require.Equal(t, first, b.Submit(flag))
	}
	spaced, err := json.MarshalIndent(flag, " ", "   ") // the same claim, written otherwise
	require.NoError(t, err)
	res, err := b.Door.Submit(ctx, b.Who("detector"), spaced)
	require.NoError(t, err)
	require.Equal(t, first, res.Case)
	require.Equal(t, 1, b.Workflows.Signals(), "a row that was accepted is not signalled again")

	claimed, err := b.Desk.Claim(ctx, b.Who("rev1"), call(first))
	require.NoError(t, err)
	_, err = b.Desk.Close(ctx, b.Who("rev1"), closeCall(first, claimed))
	require.NoError(t, err)
	require.Equal(t, first, b.Submit(flag), "closing the case changes no flag's answer")
	require.Equal(t, 1, b.Workflows.Signals())
}

func TestSubmitRefuses(t *testing.T) {
	t.Parallel()
	b := reviewtest.New(t, nil)
	b.Submit(b.Flag(1, "flag-1"))
	other := b.Flag(1, "flag-1")
	other.Reasons[0].Weight = 6
	large := b.Flag(2, "flag-2", b.Post(2, "p", strings.Repeat("a", casefile.MaxFlagBytes)))
	noPolicy := b.Flag(3, "flag-3")
	noPolicy.Reasons[0].Policy = "VE-99"

	for name, c := range map[string]struct {
		who   string
		raw   []byte
		code  casefile.Code
		field string
	}{
		"the same id with other content": {"detector", b.JSON(other), casefile.CodeConflict, "id"},
		"too large":                      {"detector", b.JSON(large), casefile.CodeTooLarge, ""},
		"an unknown field":               {"detector", []byte(`{"id":"x","colour":"red"}`), casefile.CodeInvalid, "colour"},
		"a wrong policy code":            {"detector", b.JSON(noPolicy), casefile.CodeInvalid, "reasons[0].policy"},
		"not JSON":                       {"detector", []byte("{"), casefile.CodeInvalid, ""},
		"somebody who may not":           {"rev1", b.JSON(b.Flag(4, "flag-4")), casefile.CodeForbidden, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := b.Door.Submit(context.Background(), b.Who(c.who), c.raw)
			require.Equal(t, c.code, casefile.ErrorCode(err), "%v", err)
			var e *casefile.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, c.field, e.Field)
		})
	}
}

func TestSubmitWithTemporalDownKeepsTheRow(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	b.Workflows.Before = func(context.Context, string) error { return errDown }
	flag := b.Flag(1, "flag-1")

	_, err := b.Door.Submit(ctx, b.Who("detector"), b.JSON(flag))
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
	key := b.Identity.Flag(reviewtest.Platform, "flag-1")
	row, err := b.Records.Flag(ctx, key)
	require.NoError(t, err)
	require.Equal(t, records.FlagPending, row.Status)

	b.Workflows.Before = nil
	require.NotEmpty(t, b.Submit(flag), "a retry brings the pending row on")
	require.Equal(t, 1, b.Workflows.Signals())
}

func TestSubmitAnswersWithoutTheCaseWhenItTakesTooLong(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	door, err := intake.New(intake.Options{
		Records: b.Records, Sealer: b.Sealer, Identity: b.Identity, Signals: swallow{}, Log: b.Log, Wait: time.Millisecond,
	})
	require.NoError(t, err)
	res, err := door.Submit(ctx, b.Who("detector"), b.JSON(b.Flag(1, "flag-1")))
	require.NoError(t, err)
	require.Equal(t, intake.Result{ID: "flag-1", Status: records.FlagPending}, res)
}

// swallow takes signals and does nothing with them.
type swallow struct{}

func (swallow) SignalFlag(context.Context, string, casefile.AccountKey, casefile.FlagKey) error {
	return nil
}

func TestTwoRacingIntakesOfOneAccountGetOneCase(t *testing.T) {
	t.Parallel()
	b := reviewtest.New(t, nil)
	refs := make([]casefile.CaseRef, 8)
	var wait sync.WaitGroup
	for i := range refs {
		flag := b.JSON(b.Flag(1, "flag-"+string(rune('a'+i/2)))) // each id twice
		wait.Go(func() {
			res, err := b.Door.Submit(context.Background(), b.Who("detector"), flag)
			if err == nil {
				refs[i] = res.Case
			}
		})
	}
	wait.Wait()
	for _, r := range refs {
		require.NotEmpty(t, r)
		require.Equal(t, refs[0], r)
	}
	flags, err := b.Records.CaseFlags(context.Background(), refs[0])
	require.NoError(t, err)
	require.Len(t, flags, 4)
}

func TestProfileKeepsWhatALaterFlagDoesNotTell(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	first := b.Flag(1, "flag-1")
	first.Account.Bio = "[a synthetic bio]"
	b.Submit(first)
	b.Clock.Add(time.Minute)
	second := b.Flag(1, "flag-2")
	second.Account.DisplayName = "Renamed"
	ref := b.Submit(second)

	view, err := b.Desk.Case(ctx, b.Who("rev1"), ref, "")
	require.NoError(t, err)
	require.Equal(t, "[a synthetic bio]", view.Account.Bio)
	require.Equal(t, "Renamed", view.Account.DisplayName)
}

// TestHandlesAreNotedByTheirHashes: an account is known by every handle that a flag told of it, and by no
// handle where a flag told none.
func TestHandlesAreNotedByTheirHashes(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	first := b.Flag(1, "flag-1")
	b.Submit(first)
	renamed := b.Flag(1, "flag-2")
	renamed.Account.Handle = "synthetic_renamed"
	b.Submit(renamed)
	nameless := b.Flag(2, "flag-3")
	nameless.Account.Handle = ""
	b.Submit(nameless)
	want := []casefile.AccountKey{b.Identity.Account(first.Ref())}
	for _, handle := range []string{first.Account.Handle, "synthetic_renamed"} {
		got, err := b.Records.AccountsByHandle(ctx, reviewtest.Platform, b.Identity.HandleHash(reviewtest.Platform, handle))
		require.NoError(t, err)
		require.Equal(t, want, got, handle)
	}
}

func TestSweepSignalsWhatIsPendingForTooLong(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	reg := prometheus.NewRegistry()
	door, err := intake.New(intake.Options{
		Records: b.Records, Sealer: b.Sealer, Identity: b.Identity, Signals: b.Workflows, Log: b.Log, Now: b.Clock.Now, Metrics: reg,
	})
	require.NoError(t, err)
	b.Workflows.Before = func(context.Context, string) error { return errDown }
	_, err = door.Submit(ctx, b.Who("detector"), b.JSON(b.Flag(1, "flag-1")))
	require.Error(t, err)
	_, _, err = b.Records.PutFlag(ctx, records.FlagReceipt{ // a row whose content is gone
		Flag: "gone", Account: b.Identity.Account(casefile.AccountRef{Platform: reviewtest.Platform, ID: "account-1"}),
		Platform: reviewtest.Platform, Digest: "d", Sealed: "nothing-there", Source: "p-x", At: b.Clock.Now(), Status: records.FlagPending,
	})
	require.NoError(t, err)
	b.Workflows.Before = nil

	n, err := door.Sweep(ctx)
	require.NoError(t, err)
	require.Zero(t, n, "not yet a minute old")
	b.Clock.Add(61 * time.Second)
	n, err = door.Sweep(ctx)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	status, err := b.Desk.FlagStatus(ctx, b.Who("detector"), "", "flag-1")
	require.NoError(t, err)
	require.Equal(t, records.FlagAccepted, status.Status)
	families, err := reg.Gather()
	require.NoError(t, err)
	swept := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "docket_intake_swept_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			swept[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
		}
	}
	require.Equal(t, map[string]float64{"signalled": 1, "missing": 1}, swept)
}

func TestSweeperStartsAndStops(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	b.Workflows.Before = func(context.Context, string) error { return errDown }
	_, err := b.Door.Submit(ctx, b.Who("detector"), b.JSON(b.Flag(1, "flag-1")))
	require.Error(t, err)
	b.Workflows.Before = nil
	b.Clock.Add(2 * time.Minute)

	changed := b.Records.Changes(t.Context())
	s := intake.NewSweeper(b.Door)
	require.NoError(t, s.Start(ctx))
	for {
		status, err := b.Desk.FlagStatus(ctx, b.Who("detector"), reviewtest.Platform, "flag-1")
		require.NoError(t, err)
		if status.Status == records.FlagAccepted {
			break
		}
		<-changed
	}
	require.NoError(t, s.Stop(ctx))
	require.NoError(t, intake.NewSweeper(b.Door).Stop(ctx), "one that was never started stops too")
}

// TestPromise10LogHasNoWords submits and refuses flags and looks at everything that was logged.
func TestPromise10LogHasNoWords(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	b := reviewtest.New(t, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	ctx := context.Background()
	flag := b.Flag(1, "flag-1")
	ref := b.Submit(flag)
	_, err := b.Desk.Case(ctx, b.Who("rev1"), ref, "")
	require.NoError(t, err)
	b.Workflows.Before = func(context.Context, string) error { return errDown }
	_, err = b.Door.Submit(ctx, b.Who("detector"), b.JSON(b.Flag(2, "flag-2")))
	require.Error(t, err)
	b.Clock.Add(2 * time.Minute)
	s := intake.NewSweeper(b.Door)
	require.NoError(t, s.Start(ctx))
	require.NoError(t, s.Stop(ctx))
	for _, word := range []string{"praise", "synthetic", "account-1", "account-2"} {
		require.NotContains(t, log.String(), word)
	}
}
