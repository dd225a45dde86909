package recordstest

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

const platform = "example"

// start is when every test begins.
var start = time.Date(2026, 3, 2, 10, 0, 0, 123456000, time.UTC)

func at(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }

func ptr[T any](v T) *T { return &v }

func accountKeyOf(n int) casefile.AccountKey {
	return casefile.AccountKey(fmt.Sprintf("account%025d", n))
}

func flagOf(key string, account casefile.AccountKey, when time.Time) records.FlagReceipt {
	return records.FlagReceipt{
		Flag: casefile.FlagKey(key), Account: account, Platform: platform, Digest: "digest-" + key,
		Sealed: casefile.Address("sealed-" + key), Source: "p-detector", At: when, Status: records.FlagPending,
	}
}

func (b bench) put(key string, account casefile.AccountKey, when time.Time) records.FlagReceipt {
	b.t.Helper()
	row, created, err := b.PutFlag(b.ctx(), flagOf(key, account, when))
	require.NoError(b.t, err)
	require.True(b.t, created)
	return row
}

func (b bench) take(key string, account casefile.AccountKey, propose casefile.CaseRef, now time.Time) records.TakenIn {
	b.t.Helper()
	in, err := b.TakeIn(b.ctx(), platform, account, casefile.FlagKey(key), propose, now)
	require.NoError(b.t, err)
	return in
}

// openCase puts a flag, takes it in and returns the new case as its row stands.
func (b bench) openCase(key string, account casefile.AccountKey, ref casefile.CaseRef, now time.Time) records.Case {
	b.t.Helper()
	b.put(key, account, now)
	in := b.take(key, account, ref, now)
	require.Equal(b.t, records.TakenNow, in.Outcome)
	require.True(b.t, in.Opened)
	return b.row(ref)
}

func (b bench) row(ref casefile.CaseRef) records.Case {
	b.t.Helper()
	c, err := b.Case(b.ctx(), ref)
	require.NoError(b.t, err)
	return c
}

func (b bench) project(c records.Case, now time.Time) {
	b.t.Helper()
	require.NoError(b.t, b.Project(b.ctx(), records.Projection{Case: c, Now: now}))
}

func route(queue string, severity, confidence int, due time.Time) casefile.Route {
	return casefile.Route{Queue: queue, Severity: severity, Confidence: confidence, Tier: casefile.TierAlert, DueAt: due, Rule: "r1", RuleSet: "rs1"}
}

// queued opens a case and puts it in a queue.
func (b bench) queued(n int, ref casefile.CaseRef, r casefile.Route, opened time.Time) records.Case {
	b.t.Helper()
	c := b.openCase(fmt.Sprintf("flag-of-%s", ref), accountKeyOf(n), ref, opened)
	c.State, c.Revision, c.EvidenceRevision, c.Route, c.Rank, c.Flags = casefile.StateQueued, 1, 1, r, r.Severity, 1
	b.project(c, opened)
	return c
}

// closed closes a case.
func (b bench) closed(c records.Case, now time.Time) records.Case {
	b.t.Helper()
	c.State, c.ClosedAt, c.CloseReason = casefile.StateClosed, &now, casefile.CloseDuplicate
	c.Revision++
	b.project(c, now)
	return c
}

func judgement(action casefile.Action) casefile.Judgement {
	answers := map[casefile.Mitigation]casefile.Answer{}
	for _, m := range casefile.Mitigations {
		answers[m] = casefile.AnswerNo
	}
	return casefile.Judgement{Action: action, Policies: []casefile.PolicyCode{casefile.VE08, casefile.VE09}, EntityTier: casefile.E1, Mitigations: answers}
}

func opinion(id string, person casefile.Person, when time.Time) casefile.Opinion {
	return casefile.Opinion{
		ID: id, Person: person, Role: casefile.RoleReviewer, At: when, Judgement: judgement(casefile.L4),
		Claim: 1, EvidenceRevision: 1, Form: casefile.Address("form-" + id), Digest: "digest-" + id,
	}
}

func decision(id string, c records.Case, when time.Time) casefile.Decision {
	return casefile.Decision{
		ID: id, Case: c.Ref, Platform: c.Platform, Account: c.Account, Judgement: judgement(casefile.L4),
		DecidedBy: casefile.ByOneOpinion, DecidedAt: when, EvidenceRevision: 1, RuleSet: "rs1",
		Opinions: []casefile.Opinion{opinion("o-"+id, "p-one", when)}, OpinionEvents: []casefile.EventID{casefile.NewEventID(casefile.CaseChain(c.Ref), 3)},
	}
}

// decided opens a case and gives it a decision.
func (b bench) decided(n int, ref casefile.CaseRef, id string) (records.Case, casefile.Decision) {
	b.t.Helper()
	c := b.queued(n, ref, route("q", 1, 1, at(60)), start)
	d := decision(id, c, at(5))
	c.State, c.Decision = casefile.StateDecided, id
	c.Revision++
	err := b.Project(b.ctx(), records.Projection{Case: c, Decision: &records.DecisionRow{Decision: d, State: casefile.DecisionGrace}, Now: at(5)})
	require.NoError(b.t, err)
	return c, d
}

// race runs n calls at once and waits for all.
func race(n int, call func(i int)) {
	begin, done := make(chan struct{}), make(chan struct{})
	for i := range n {
		go func() {
			defer func() { done <- struct{}{} }()
			<-begin
			call(i)
		}()
	}
	close(begin)
	for range n {
		<-done
	}
}
