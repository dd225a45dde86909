package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/activities"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/telling"
	"github.com/docket-triage/docket/workflows"
)

func (l *life) row() records.Case {
	l.t.Helper()
	row, err := l.records.Case(l.t.Context(), l.s.Ref)
	require.NoError(l.t, err)
	return row
}

func (l *life) parts() map[casefile.Person][]records.Part {
	l.t.Helper()
	rows, err := l.records.Parts(l.t.Context(), l.s.Ref)
	require.NoError(l.t, err)
	out := map[casefile.Person][]records.Part{}
	for _, r := range rows {
		out[r.Person] = append(out[r.Person], r.Part)
	}
	return out
}

// TestProjectHandling: what the workflow knows beside the judging stands in the columns that people's
// pages and queues read.
func TestProjectHandling(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	first := l.row()
	require.Equal(t, l.s.Route.Severity, first.Rank)
	require.Equal(t, l.s.Route.Queue, first.Route.Queue)

	until := b.clock().Add(time.Hour)
	l.s.Queue, l.s.Moved, l.s.Raised, l.s.Missed = "lead", true, true, []casefile.DeadlineKind{casefile.DeadlineTouch}
	l.s.NotBefore, l.s.AssignedTo, l.s.Stage, l.s.Round = &until, "p-emma0000", casefile.StageAdjudication, 2
	l.s.Referrals = []casefile.Referral{
		{ID: "R1", Kind: casefile.ReferLegal, Person: "p-anna0000", At: b.clock(), Note: "note", Digest: "digest", Event: casefile.NewEventID(l.s.Chain.Name, 3)},
		{ID: "R2", Kind: casefile.ReferSelfHarm, Person: "p-anna0000", At: b.clock(), Note: "note", Digest: "digest", Event: casefile.NewEventID(l.s.Chain.Name, 4)},
		{ID: "R3", Kind: casefile.ReferChildSafety, Person: "p-anna0000", At: b.clock(), Note: "note", Digest: "digest", Event: casefile.NewEventID(l.s.Chain.Name, 5)},
	}
	l.project(workflows.ProjectAsk{})
	row := l.row()
	require.Equal(t, "lead", row.Route.Queue, "the queue that a person or a missed deadline put it in")
	require.Equal(t, l.s.Route.Rule, row.Route.Rule)
	require.Equal(t, l.s.Route.Severity+1, row.Rank)
	require.True(t, row.Raised)
	require.Equal(t, until, *row.NotBefore)
	require.Equal(t, casefile.Person("p-emma0000"), row.AssignedTo)
	require.Equal(t, casefile.StageAdjudication, row.Stage)
	require.Equal(t, l.s.Missed, row.Missed)
	require.Equal(t, 2, row.Round)
	require.Equal(t, casefile.ReferSelfHarm, row.Restricted, "the first that restricts")
	referrals, err := b.records.Referrals(t.Context(), l.s.Ref)
	require.NoError(t, err)
	require.Equal(t, l.s.Referrals, referrals)

	l.s.Threat = true
	l.project(workflows.ProjectAsk{})
	require.Equal(t, records.RankThreat, l.row().Rank)

	l.s.AlreadyDecided = "EARLIER"
	l.close(casefile.CloseAlreadyDecided)
	require.Equal(t, "EARLIER", l.row().Attached)
	require.Equal(t, casefile.CloseAlreadyDecided, l.row().CloseReason)
}

// TestPromise04BlindOpinions: while a case is undecided an opinion stands in the records as no more
// than who gave it and when; it is shown with the decision, in adjudication, and when it is withdrawn.
func TestPromise04BlindOpinions(t *testing.T) {
	t.Parallel()
	for name, show := range map[string]func(s *workflows.CaseState){
		"decided":      func(s *workflows.CaseState) { s.State = casefile.StateDecided },
		"closed":       func(s *workflows.CaseState) { s.State = casefile.StateClosed },
		"adjudication": func(s *workflows.CaseState) { s.Stage = casefile.StageAdjudication },
		"withdrawn":    func(s *workflows.CaseState) { s.DecisionState = casefile.DecisionWithdrawn },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			l := b.begin(flagOf("f1", post("p1", postText, 1)))
			o := l.opinion("p-anna0000", judgement(casefile.L6), "p1")
			l.s.Opinions = []casefile.Opinion{o}
			l.project(workflows.ProjectAsk{Opinions: l.s.Opinions})
			shown, err := b.records.Opinions(t.Context(), l.s.Ref)
			require.NoError(t, err)
			require.Empty(t, shown)
			blind, err := b.records.BlindOpinions(t.Context(), l.s.Ref)
			require.NoError(t, err)
			require.Len(t, blind, 1)
			require.Equal(t, records.BlindOpinion{ID: o.ID, Case: l.s.Ref, Person: o.Person, At: o.At, Sealed: blind[0].Sealed}, blind[0])
			var sealed casefile.Opinion
			b.open(l.account, activities.KindBlindOpinion, blind[0].Sealed, &sealed)
			require.Equal(t, wire(t, o), sealed)
			require.Equal(t, []records.Part{records.PartOpinion}, l.parts()["p-anna0000"])

			show(&l.s)
			l.project(workflows.ProjectAsk{Opinions: l.s.Opinions})
			shown, err = b.records.Opinions(t.Context(), l.s.Ref)
			require.NoError(t, err)
			require.Len(t, shown, 1)
			require.Equal(t, casefile.L6, shown[0].Action)
			blind, err = b.records.BlindOpinions(t.Context(), l.s.Ref)
			require.NoError(t, err)
			require.Empty(t, blind)
		})
	}
}

// TestPromise04BlindOpinionsAreNoWords: nothing of a judgement stands outside the sealed store before
// it may be seen.
func TestPromise04BlindOpinionsAreNoWords(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	o := l.opinion("p-anna0000", judgement(casefile.L6), "p1")
	l.s.Opinions = []casefile.Opinion{o}
	l.project(workflows.ProjectAsk{Opinions: l.s.Opinions})
	rows := b.files()
	for _, secret := range []string{string(o.Form), o.Notice.Number, o.Digest} {
		require.Empty(t, where(t, secret, rows), "what the opinion says could be told from it")
	}
	l.s.State = casefile.StateDecided
	l.project(workflows.ProjectAsk{Opinions: l.s.Opinions})
	require.NotEmpty(t, where(t, string(o.Form), b.files()), "the search finds it once it is shown")
}

// TestProjectParts: who took part, and how.
func TestProjectParts(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	require.Equal(t, map[casefile.Person][]records.Part{"p-detector": {records.PartFlag}}, l.parts())

	reopened := b.submitAs("p-carl0000", flagOf("f2", post("p2", "[another]", 2)))
	b.take(l.account, reopened)
	l.s.Parts = append(l.s.Parts, "p-carl0000", "p-hold0000")
	l.s.State, l.s.Claims = casefile.StateClaimed, 1
	l.s.Claim = &casefile.Claim{Number: 1, Person: "p-hold0000", Role: casefile.RoleReviewer, GrantedAt: b.clock(), ExpiresAt: b.clock().Add(time.Minute)}
	l.project(workflows.ProjectAsk{})
	// A holder whom no projection saw holding the case took part as one all the same.
	l.s.Parts = append(l.s.Parts, "p-late0000", "p-anna0000")
	l.s.Claim, l.s.State = nil, casefile.StateQueued
	l.s.Opinions = []casefile.Opinion{l.opinion("p-anna0000", judgement(casefile.L5), "p1")}
	l.project(workflows.ProjectAsk{Opinions: l.s.Opinions})
	l.s.Round, l.s.Opinions = 1, []casefile.Opinion{l.opinion("p-anna0000", judgement(casefile.L5), "p1")}
	l.project(workflows.ProjectAsk{Opinions: l.s.Opinions})
	l.project(workflows.ProjectAsk{})
	require.Equal(t, map[casefile.Person][]records.Part{
		"p-detector": {records.PartFlag}, "p-carl0000": {records.PartFlag}, "p-hold0000": {records.PartClaim},
		"p-late0000": {records.PartClaim}, "p-anna0000": {records.PartOpinion, records.PartOpinion},
	}, l.parts())
	rows, err := b.records.Parts(t.Context(), l.s.Ref)
	require.NoError(t, err)
	var rounds []int
	for _, r := range rows {
		if r.Part == records.PartOpinion {
			rounds = append(rounds, r.Round)
		}
	}
	require.Equal(t, []int{0, 1}, rounds)
}

// TestProjectTellings: each telling has the team of its queue, and is one that its sender can tell.
func TestProjectTellings(t *testing.T) {
	t.Parallel()
	b := automated(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	due := b.clock().Add(time.Hour)
	l.graced(l.opinion("p-anna0000", judgement(casefile.L5), "p1"))
	tellings := []workflows.Telling{
		{ID: "x.deadline_half.touch.half.1", Kind: "case.half_due", Queue: "general", DueAt: &due},
		{ID: "x.deadline_missed.touch.missed.1", Kind: "case.deadline_missed", Queue: "lead", Page: true, DueAt: &due},
		{ID: "x.threat_to_life.V1", Kind: "case.threat", Queue: "lead", Page: true, DueAt: &due},
		{ID: "x.referral.V2", Kind: "case.referred", Queue: "general", Team: "legal"},
		{ID: "x.case.adjudication.V3", Kind: "case.adjudication", Queue: "general", Page: true},
		{ID: "x.deadline_half.decision.half.1", Kind: "case.half_due", Queue: "nowhere", DueAt: &due},
	}
	for range 2 {
		l.project(workflows.ProjectAsk{Tellings: tellings})
	}
	told := b.tellings()
	require.Len(t, told, len(tellings), "the same telling has the same id for ever")
	want := []struct {
		kind    telling.Kind
		team    string
		urgency telling.Urgency
	}{
		{telling.KindHalfDue, "first-line", telling.Notice}, {telling.KindDeadlineMissed, "", telling.Page}, {telling.KindThreat, "", telling.Page},
		{telling.KindReferred, "legal", telling.Notice}, {telling.KindAdjudication, "first-line", telling.Page}, {telling.KindHalfDue, "", telling.Notice},
	}
	for i, m := range told {
		require.Equal(t, want[i].kind, m.Kind)
		require.Equal(t, want[i].team, m.Team)
		require.Equal(t, want[i].urgency, m.Urgency)
		require.Equal(t, l.s.Ref, m.Case)
		require.Equal(t, platform, m.Platform)
		require.Equal(t, l.s.Decision.ID, m.Subject)
	}
	require.Equal(t, due, *told[0].DueAt)
}

// TestProjectMissedDeadlines are counted once, whatever is projected again.
func TestProjectMissedDeadlines(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	type missed struct {
		queue string
		kind  casefile.DeadlineKind
	}
	var got []missed
	b.work.Missed = func(queue string, kind casefile.DeadlineKind) { got = append(got, missed{queue, kind}) }
	l := b.begin(flagOf("f1"))
	l.s.Queue, l.s.Missed = "lead", []casefile.DeadlineKind{casefile.DeadlineTouch}
	l.project(workflows.ProjectAsk{})
	again := l.s
	require.NoError(t, b.work.Project(t.Context(), workflows.ProjectAsk{Platform: platform, Account: l.account, State: again}))
	l.project(workflows.ProjectAsk{})
	l.s.Missed = append(l.s.Missed, casefile.DeadlineDecision)
	l.project(workflows.ProjectAsk{})
	require.Equal(t, []missed{{"lead", casefile.DeadlineTouch}, {"lead", casefile.DeadlineDecision}}, got)
}

// TestProjectOfARunThatWasLostInItsGrace: the decision that nobody knows of any more is withdrawn, its
// opinions count no more, and the case stands undecided.
func TestProjectOfARunThatWasLostInItsGrace(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	d := l.graced(l.opinion("p-anna0000", judgement(casefile.L5), "p1"))
	a := b.takeUndecided(l.account, b.identity.Flag(platform, "f1"))
	next := &life{bed: b, account: l.account}
	next.s = workflows.CaseState{Ref: a.Ref, Ordinal: a.Ordinal, State: casefile.StateNew, Revision: a.Revision, EvidenceRevision: a.EvidenceRevision,
		OpenedAt: a.OpenedAt, Round: a.Round + 1, Voided: a.VoidIDs, Settings: a.Settings, Route: l.s.Route, Queue: l.s.Queue}
	next.s.State = casefile.StateQueued
	stale := next.s
	stale.Revision = a.Revision - 1
	require.NoError(t, b.work.Project(t.Context(), workflows.ProjectAsk{Platform: platform, Account: l.account, State: stale}))
	row, err := b.records.Decision(t.Context(), d.ID)
	require.NoError(t, err)
	require.Equal(t, casefile.DecisionGrace, row.State, "an older projection withdraws nothing")

	next.project(workflows.ProjectAsk{})
	row, err = b.records.Decision(t.Context(), d.ID)
	require.NoError(t, err)
	require.Equal(t, casefile.DecisionWithdrawn, row.State)
	require.Equal(t, "void", row.Why)
	require.Empty(t, next.row().Decision)
	shown, err := b.records.Opinions(t.Context(), l.s.Ref)
	require.NoError(t, err)
	require.Empty(t, shown)
	void, _, err := b.records.VoidOpinions(t.Context(), l.s.Ref)
	require.NoError(t, err)
	require.Len(t, void, 1)
}

// TestProjectOfARunThatGoesStraightToItsEnd keeps what the records know of the route.
func TestProjectOfARunThatGoesStraightToItsEnd(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	in := l.decide(l.opinion("p-anna0000", judgement(casefile.L5), "p1"))
	before := l.row()
	d := in.Decision
	next := &life{bed: b, account: l.account, bundle: &in.Bundle}
	next.s = workflows.CaseState{Ref: d.Case, Ordinal: before.Ordinal, OpenedAt: before.OpenedAt, Revision: before.Revision, EvidenceRevision: before.EvidenceRevision,
		State: casefile.StateProven, Decision: &d, Opinions: d.Opinions, OpinionEvents: d.OpinionEvents, DecisionState: casefile.DecisionRecorded,
		DecisionHash: casefile.EntryHash(in.Bundle.Entry), Round: 1, Chain: l.s.Chain}
	next.project(workflows.ProjectAsk{Bundle: &in.Bundle, Opinions: d.Opinions})
	after := next.row()
	require.Equal(t, before.Route, after.Route)
	require.Equal(t, before.Findings, after.Findings)
	require.Equal(t, before.Flags, after.Flags)
	require.Equal(t, before.Rank, after.Rank)
	file := next.close(casefile.CloseDecided)
	var archived activities.CaseFile
	b.open(l.account, "casefile", file.File, &archived)
	require.Equal(t, before.Route.Rule, archived.State.Route.Rule)
}

// TestArchiveTellsWhatIsVoid: of withdrawn decisions, lost runs and cases closed without a decision.
func TestArchiveTellsWhatIsVoid(t *testing.T) {
	t.Parallel()
	ids := func(list []casefile.Opinion) []string {
		out := []string{}
		for _, o := range list {
			out = append(out, o.ID)
		}
		return out
	}
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	// One that nobody ever saw, of a run that was lost.
	unseen := l.opinion("p-anna0000", judgement(casefile.L6), "p1")
	l.s.Opinions = []casefile.Opinion{unseen}
	l.project(workflows.ProjectAsk{Opinions: l.s.Opinions})
	l.s.Voided, l.s.Round, l.s.Opinions = []string{unseen.ID}, 1, nil
	l.project(workflows.ProjectAsk{})
	// One of a decision that was withdrawn.
	b.pass(time.Minute)
	withdrawn := l.opinion("p-bert0000", judgement(casefile.L5), "p1")
	l.graced(withdrawn)
	l.s.State, l.s.DecisionState, l.s.Voided = casefile.StateQueued, casefile.DecisionWithdrawn, []string{withdrawn.ID}
	l.project(workflows.ProjectAsk{Opinions: l.s.Opinions})
	l.s.Decision, l.s.DecisionState, l.s.Opinions, l.s.Round = nil, "", nil, 2

	b.pass(time.Minute)
	undecided := *l
	undecided.bed = b
	count := l.opinion("p-carl0000", judgement(casefile.L5), "p1")
	in := l.decide(count)
	answer := l.close(casefile.CloseDecided)
	var file activities.CaseFile
	b.open(l.account, "casefile", answer.File, &file)
	require.Equal(t, []string{count.ID}, ids(file.Opinions))
	require.Equal(t, []string{unseen.ID, withdrawn.ID}, ids(file.Void), "the oldest first")
	require.Equal(t, casefile.L6, file.Void[0].Action, "the codes that only its author saw")
	require.Equal(t, in.Decision, *file.State.Decision)

	other := flagOf("f2", post("p2", "[another]", 2))
	other.Account.ID, other.Evidence[0].Account.ID = "a-18", "a-18"
	n := b.begin(other)
	o := n.opinion("p-anna0000", judgement(casefile.L5), "p2")
	n.s.Opinions, n.s.Stage = []casefile.Opinion{o}, casefile.StageAdjudication
	n.project(workflows.ProjectAsk{Opinions: n.s.Opinions})
	answer = n.close(casefile.CloseOutOfScope)
	file = activities.CaseFile{}
	b.open(n.account, "casefile", answer.File, &file)
	require.Empty(t, file.Opinions)
	require.Equal(t, []string{o.ID}, ids(file.Void))
}

// TestPromise04TakeAppeal: an appeal's workflow is told who must not rule, by the records.
func TestPromise04TakeAppeal(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	rules, err := policy.Default()
	require.NoError(t, err)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	l.s.State, l.s.Claims, l.s.Parts = casefile.StateClaimed, 1, append(l.s.Parts, "p-hold0000")
	l.s.Claim = &casefile.Claim{Number: 1, Person: "p-hold0000", Role: casefile.RoleReviewer, GrantedAt: b.clock(), ExpiresAt: b.clock().Add(time.Minute)}
	l.project(workflows.ProjectAsk{})
	in := l.decide(l.opinion("p-anna0000", judgement(casefile.L6), "p1"), l.opinion("p-bert0000", judgement(casefile.L6), "p1"))
	row := b.appeal(in)
	take := func(id string) workflows.TakeAppealAnswer {
		answer, err := b.work.TakeAppeal(t.Context(), workflows.TakeAppealAsk{Appeal: id})
		require.NoError(t, err)
		return answer
	}
	require.False(t, take("forged").Known)
	answer := take(row.ID)
	require.True(t, answer.Known)
	require.Equal(t, casefile.AppealByAccount, answer.Kind)
	require.Equal(t, row.DueAt, answer.DueAt)
	require.Equal(t, "digest-of-complaint", answer.Digest)
	require.Equal(t, row.OpenedBy, answer.Opened)
	require.Equal(t, in, workflows.TakedownInput(answer.Decision))
	require.ElementsMatch(t, []casefile.Person{"p-detector", "p-hold0000", "p-anna0000", "p-bert0000"}, answer.Parts)
	require.Equal(t, b.work.Settings, answer.Settings)
	require.Equal(t, rules.AppealTeam(), answer.Team)
	require.Zero(t, answer.Revision)
	require.Zero(t, answer.LastClaim)
	require.Nil(t, answer.Ruling)

	// A run that was lost is taken up where the records saw it, with what it had accepted.
	s := workflows.AppealRunState{Appeal: row.ID, Kind: row.Kind, Decision: in.Decision.ID, Case: l.s.Ref, Platform: platform, Account: l.account,
		State: casefile.AppealClaimed, Revision: 3, DueAt: row.DueAt, Claims: 2,
		Claim: &casefile.Claim{Number: 2, Person: "p-dora0000", Role: casefile.RoleSenior, GrantedAt: b.clock(), ExpiresAt: b.clock().Add(time.Minute)}}
	require.NoError(t, b.work.ProjectAppeal(t.Context(), workflows.ProjectAppealAsk{State: s}))
	answer = take(row.ID)
	require.Equal(t, 3, answer.Revision)
	require.Equal(t, 2, answer.LastClaim)
	s.State, s.Claim, s.Revision = casefile.AppealDecided, nil, 4
	s.Ruling = &casefile.AppealRuling{ID: "RULING", Appeal: row.ID, Kind: row.Kind, Decision: in.Decision.ID, Outcome: casefile.OutcomeUpheld, Person: "p-dora0000", Role: casefile.RoleSenior, At: b.clock()}
	require.NoError(t, b.work.ProjectAppeal(t.Context(), workflows.ProjectAppealAsk{State: s}))
	answer = take(row.ID)
	require.True(t, answer.Known)
	require.Equal(t, "RULING", answer.Ruling.ID)
	require.Equal(t, 4, answer.LastClaim, "no claim had a higher number")

	l.ruled(in, records.AppealRow{ID: row.ID, Kind: row.Kind, Revision: 4}, "p-dora0000", casefile.OutcomeRejected)
	require.False(t, take(row.ID).Known, "it has come to its end")
}

// TestTakeAppealOfADecisionWithoutProof is nobody's start.
func TestTakeAppealOfADecisionWithoutProof(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	d := l.graced(l.opinion("p-anna0000", judgement(casefile.L5), "p1"))
	row := b.appeal(workflows.TakedownInput{Decision: d})
	answer, err := b.work.TakeAppeal(t.Context(), workflows.TakeAppealAsk{Appeal: row.ID})
	require.NoError(t, err)
	require.False(t, answer.Known)
}

func TestProjectAppealTellings(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	in := l.decide(l.opinion("p-anna0000", judgement(casefile.L5), "p1"))
	due := b.clock().Add(time.Hour)
	review, err := b.work.OrderReview(t.Context(), workflows.OrderReviewAsk{Decision: in.Decision, DueAt: due})
	require.NoError(t, err)
	again, err := b.work.OrderReview(t.Context(), workflows.OrderReviewAsk{Decision: in.Decision, DueAt: due.Add(time.Hour)})
	require.NoError(t, err)
	require.Equal(t, review, again, "one review, whatever is repeated")
	row, err := b.records.Appeal(t.Context(), review.Appeal)
	require.NoError(t, err)
	require.Equal(t, casefile.AppealEmergency, row.Kind)
	require.Equal(t, due, row.DueAt)
	require.Equal(t, casefile.System, row.OpenedBy)
	require.Equal(t, in.Decision.ID, row.Decision)

	for _, a := range []records.AppealRow{row, b.appeal(in)} {
		s := workflows.AppealRunState{Appeal: a.ID, Kind: a.Kind, Decision: in.Decision.ID, Case: l.s.Ref, Platform: platform, Account: l.account, State: casefile.AppealOpen, Revision: 1, DueAt: a.DueAt}
		require.NoError(t, b.work.ProjectAppeal(t.Context(), workflows.ProjectAppealAsk{State: s, Tellings: []workflows.Telling{
			{ID: "appeal." + a.ID + ".appeal_opened", Kind: "appeal.received", Page: a.Kind == casefile.AppealEmergency, Team: "appeals", DueAt: &a.DueAt},
			{ID: "appeal." + a.ID + ".deadline_missed", Kind: "case.deadline_missed", Page: true, Team: "appeals", DueAt: &a.DueAt},
		}}))
	}
	told := b.tellings()
	require.Len(t, told, 4)
	require.Equal(t, telling.KindOrderReview, told[0].Kind)
	require.Equal(t, in.Decision.ID, told[0].Subject)
	require.Equal(t, telling.Page, told[0].Urgency)
	require.Equal(t, telling.KindAppealReceived, told[2].Kind)
	require.NotEqual(t, row.ID, told[2].Subject)
	for _, m := range told {
		require.Equal(t, "appeals", m.Team)
		require.Equal(t, l.s.Ref, m.Case)
	}
}

// TestFinishUndo: what falls gives no strike and no taken-down handle any more, whatever became of its
// acts; the decision is undone only where all of them were taken back.
func TestFinishUndo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		undo    altered
		asked   casefile.AppealState
		want    casefile.DecisionState
		handles int
	}{
		"everything was taken back":      {altered{}, casefile.AppealReinstated, casefile.DecisionUndone, 0},
		"an act is uncertain":            {altered{undo: func() error { return casefile.Errorf(casefile.CodeUncertain, "no") }}, casefile.AppealIncomplete, casefile.DecisionUncertain, 1},
		"an act could not be taken back": {altered{undo: func() error { return casefile.Errorf(casefile.CodeForbidden, "no") }}, casefile.AppealIncomplete, casefile.DecisionFailed, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, in, acts := carriedOut(t, casefile.L5)
			strikes := func() int {
				list, err := l.records.Strikes(t.Context(), l.account, l.clock())
				require.NoError(t, err)
				return len(list)
			}
			alike := func() int {
				list, err := l.records.LookAlikes(t.Context(), l.key("another"), platform, l.identity.HandleHashes(platform, handle+"_back"))
				require.NoError(t, err)
				return len(list)
			}
			require.Equal(t, 1, strikes())
			require.Equal(t, 1, alike())
			re := l.upheld(in)
			l.prepareUndo(re)
			l.on(c.undo)
			out, err := l.undo(re, acts[0])
			require.NoError(t, err)
			ask := workflows.FinishUndoAsk{Decision: in.Decision, Appeal: re.Ruling.Appeal, State: c.asked, Why: out.Why}
			for range 2 {
				require.NoError(t, l.work.FinishUndo(t.Context(), ask))
			}
			row, err := l.records.Decision(t.Context(), in.Decision.ID)
			require.NoError(t, err)
			require.Equal(t, c.want, row.State)
			appeal, err := l.records.Appeal(t.Context(), re.Ruling.Appeal)
			require.NoError(t, err)
			require.Equal(t, c.asked, appeal.State)
			require.Equal(t, out.Why, appeal.Why)
			require.Zero(t, strikes())
			require.Equal(t, c.handles, alike(), "the records keep it while an act may still stand")

			// An end of the takedown that comes late gives nothing back to it.
			require.NoError(t, l.work.Finish(t.Context(), workflows.FinishAsk{Decision: in.Decision, State: casefile.DecisionDone}))
			require.Zero(t, strikes())
			require.Equal(t, c.handles, alike())
			after := &life{bed: l.bed, account: l.account}
			a := l.take(l.account, l.submit(flagOf("f8", post("p8", "[later]", 8))))
			_, found := after.assess(l.account, a.Ref)
			require.Zero(t, found[casefile.FindingEarlierCases].Values["violations"], "what fell is no violation")
		})
	}
}

// TestFinishUndoOfADecisionThatHasEnded: its row stays ended where something is outstanding, and holds
// nothing up.
func TestFinishUndoOfADecisionThatHasEnded(t *testing.T) {
	t.Parallel()
	l, in, acts := carriedOut(t, casefile.L5)
	l.pass(acts[0].Until.Sub(l.clock()))
	_, err := l.endAct(in, acts[0])
	require.NoError(t, err)
	require.NoError(t, l.work.Finish(t.Context(), workflows.FinishAsk{Decision: in.Decision, State: casefile.DecisionEnded}))
	re := l.upheld(in)
	require.Empty(t, l.prepareUndo(re), "it was taken back at its end")
	state := func() casefile.DecisionState {
		row, err := l.records.Decision(t.Context(), in.Decision.ID)
		require.NoError(t, err)
		return row.State
	}
	ask := workflows.FinishUndoAsk{Decision: in.Decision, Appeal: re.Ruling.Appeal, State: casefile.AppealIncomplete, Why: "forbidden"}
	require.NoError(t, l.work.FinishUndo(t.Context(), ask))
	require.Equal(t, casefile.DecisionEnded, state())
	ask.State, ask.Why = casefile.AppealReinstated, ""
	require.NoError(t, l.work.FinishUndo(t.Context(), ask))
	require.Equal(t, casefile.DecisionUndone, state())
}

// TestFinishOfADecisionThatFellMeanwhile gives no strike and no taken-down handle.
func TestFinishOfADecisionThatFellMeanwhile(t *testing.T) {
	t.Parallel()
	b, in, act := suspended(t)
	_, err := b.actor.DoAct(t.Context(), doAsk(in, act))
	require.NoError(t, err)
	l := &life{bed: b, account: in.Decision.Account, s: workflows.CaseState{Ref: in.Decision.Case}}
	l.upheld(in)
	require.NoError(t, b.work.Finish(t.Context(), workflows.FinishAsk{Decision: in.Decision, State: casefile.DecisionDone}))
	strikes, err := b.records.Strikes(t.Context(), l.account, b.clock())
	require.NoError(t, err)
	require.Empty(t, strikes)
	alike, err := b.records.LookAlikes(t.Context(), b.key("another"), platform, b.identity.HandleHashes(platform, handle+"_back"))
	require.NoError(t, err)
	require.Empty(t, alike)
}

// TestFinishRefusesToHideAFault: only what was taken back may be passed over.
func TestFinishRefusesToHideAFault(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	d := l.graced(l.opinion("p-anna0000", judgement(casefile.L5), "p1"))
	l.s.State, l.s.DecisionState = casefile.StateQueued, casefile.DecisionWithdrawn
	l.project(workflows.ProjectAsk{})
	requireCode(t, casefile.CodeState, b.work.Finish(t.Context(), workflows.FinishAsk{Decision: d, State: casefile.DecisionFailed}))
}

// TestFixEntriesOfARuling names the account by its own id, as the actor does when it checks the proof.
func TestFixEntriesOfARuling(t *testing.T) {
	t.Parallel()
	l, in, _ := carriedOut(t, casefile.L5)
	re := l.upheld(in)
	salter, err := l.sealer.Salter(t.Context(), l.account)
	require.NoError(t, err)
	require.NoError(t, l.actor.Guard.CheckRuling(in.Decision, in.Bundle, re.Ruling, re.Bundle, l.bed.account("a-17"), salter))
}
