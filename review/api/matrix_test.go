package api_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/api"
	"github.com/docket-triage/docket/review/reviewtest"
)

// target is what a route is called about: a case of everybody's queue, one of another team's, and one
// that was referred to child safety. Each has an appeal against a like case beside it.
type target struct {
	name       string
	queue      string
	ref        casefile.CaseRef
	post       string // of the case
	appeal     string
	restricted bool
}

// caller is somebody of one role and team. Nobody of them ever took part in a case with an appeal.
type caller struct {
	who   access.Who
	token string
}

// answered is what a route makes of a caller that its permission lets in.
type answered int

const (
	letIn    answered = iota // whatever it says then, it is no refusal of the caller
	refused                  // 403
	withheld                 // 200 without the words
)

// rule says what a route makes of a caller's team and of a restriction, beyond its permission.
type rule func(c caller, t target) answered

// The rules.
func anybody(caller, target) answered { return letIn }

func ofTheQueue(c caller, t target) answered {
	if t.queue == reviewtest.OtherQueue && c.who.Team != reviewtest.OtherTeam {
		return refused
	}
	return letIn
}

func sees(c caller, t target) bool {
	return !t.restricted || c.who.Team == casefile.ReferChildSafety.Team() || slices.Contains(c.who.Roles, casefile.RoleLead)
}

func whoTakes(c caller, t target) answered {
	if !sees(c, t) {
		return refused
	}
	return ofTheQueue(c, t)
}

// whoReads: an admin reads nothing without broken glass.
func whoReads(c caller, t target) answered {
	switch {
	case !c.who.May(access.CaseRead):
		return refused
	case !sees(c, t):
		return withheld
	}
	return letIn
}

func whoSees(c caller, t target) answered {
	if !sees(c, t) {
		return refused
	}
	return letIn
}

func whoRules(c caller, t target) answered {
	if !sees(c, t) || c.who.Team != appealTeam {
		return refused
	}
	return letIn
}

func ofTheAppealTeam(c caller, _ target) answered {
	if c.who.Team != appealTeam {
		return refused
	}
	return letIn
}

// whoActs: a service of a team that acts on decisions.
func whoActs(c caller, _ target) answered {
	if c.who.Team != access.TakedownTeam && c.who.Team != casefile.ReferChildSafety.Team() {
		return refused
	}
	return letIn
}

const appealTeam = "review"

// rules has every route. What takes a claim asks who holds the case, and nobody here does: that is
// another refusal than of the person.
var rules = map[string]rule{
	"flag.submit": anybody, "flag.show": anybody,
	"queue.list": anybody, "queue.cases": anybody, "case.next": ofTheQueue,
	"case.list": anybody, "case.find": anybody, "case.show": whoReads, "case.claim": whoTakes,
	"case.heartbeat": anybody, "case.release": anybody, "case.comment": anybody, "case.preview": whoSees, "case.opinion": anybody,
	"case.withdraw": anybody, "case.close": anybody, "case.snooze": anybody, "case.hold": anybody, "case.handover": anybody, "case.takers": anybody,
	"case.escalate": anybody, "case.deadline": anybody, "case.force_release": anybody, "case.refer": anybody, "case.reopen": anybody,
	"case.proof": anybody, "case.views": anybody,
	"appeal.open": anybody, "appeal.list": anybody, "appeal.next": ofTheAppealTeam, "appeal.show": whoReads,
	"appeal.claim": whoRules, "appeal.release": whoRules, "appeal.preview": whoRules, "appeal.rule": whoRules,
	"act.list": anybody, "act.pause": anybody, "act.resume": anybody, "act.settle": anybody,
	"switch.list": anybody, "switch.banner": anybody, "switch.automation": anybody, "breaker.list": anybody, "breaker.arm": anybody,
	"people.list": anybody, "people.add": anybody, "people.disable": anybody, "people.enable": anybody, "people.reset": anybody,
	"glass.break": anybody, "glass.list": anybody, "glass.review": anybody,
	"hold.list": anybody, "hold.add": anybody, "hold.end": anybody,
	"erasure.list": anybody, "erasure.show": anybody, "erasure.accounts": anybody, "account.erase": anybody,
	"reconcile.run": anybody, "decision.feed": whoActs, "watch.refusals": anybody, "me": anybody, "events": anybody, "openapi": anybody,
}

// body is a valid body of a route that shows words in answer to one, and an empty one of every other.
func (s *server) body(r api.Route, t target) string {
	switch r.Name {
	case "case.preview":
		return string(s.JSON(api.PreviewBody{OpinionForm: reviewtest.Form(casefile.L3, t.post)}))
	case "appeal.preview":
		return string(s.JSON(casefile.AppealForm{Outcome: casefile.OutcomeRejected, Rationale: "nothing in the complaint changes it"}))
	}
	if r.Method == http.MethodPost {
		return `{}`
	}
	return ""
}

// secrets are what no answer holds for whoever may not see the restricted cases.
var secrets = []string{"synthetic_12", "synthetic_22", "account-12", "account-22", "post-12-1", "post-22-1", "[why the team must see it]"}

// targets makes the three, each with its appeal, by people who are not in the matrix.
func targets(s *server) []target {
	t, ctx := s.t, context.Background()
	lead, rev := s.Who("lead"), s.Who("rev1")
	claim := func(ref casefile.CaseRef) int {
		answer, err := s.Desk.Claim(ctx, lead, review.VerbCall{Case: ref})
		require.NoError(t, err)
		return answer.Claim.Number
	}
	restrict := func(ref casefile.CaseRef, number int) {
		_, err := s.Desk.Refer(ctx, lead, review.ReferCall{VerbCall: review.VerbCall{Case: ref}, Claim: number, Kind: casefile.ReferChildSafety, Reason: "[why the team must see it]"})
		require.NoError(t, err)
	}
	out := []target{{name: "plain", queue: reviewtest.Queue}, {name: "another team's", queue: reviewtest.OtherQueue}, {name: "restricted", queue: reviewtest.Queue, restricted: true}}
	for i := range out {
		decided, post := s.Open(10 + i)
		number := claim(decided)
		if out[i].restricted {
			restrict(decided, number)
		}
		_, err := s.Desk.Opinion(ctx, lead, review.OpinionCall{VerbCall: review.VerbCall{Case: decided}, Claim: number, EvidenceRevision: 1, Form: reviewtest.Form(casefile.L3, post)})
		require.NoError(t, err)
		require.NoError(t, s.Workflows.CarryOut(ctx, decided))
		view, err := s.Desk.Case(ctx, lead, decided, "")
		require.NoError(t, err)
		opened, err := s.Desk.OpenAppeal(ctx, s.Who("detector"), review.OpenAppealCall{Number: view.Decision.NoticeNo, Words: "[the complaint]"})
		require.NoError(t, err)
		out[i].appeal = opened.Appeal

		out[i].ref, out[i].post = s.Open(20 + i)
		number = claim(out[i].ref)
		switch {
		case out[i].restricted:
			restrict(out[i].ref, number)
			_, err = s.Desk.Release(ctx, lead, review.VerbCall{Case: out[i].ref}, number)
		case out[i].queue == reviewtest.OtherQueue:
			_, err = s.Desk.HandOver(ctx, lead, review.HandOverCall{VerbCall: review.VerbCall{Case: out[i].ref}, Claim: number, Queue: reviewtest.OtherQueue, Reason: "theirs"})
		default:
			_, err = s.Desk.Release(ctx, lead, review.VerbCall{Case: out[i].ref}, number)
		}
		require.NoError(t, err)
	}
	require.NotEmpty(t, rev.Person)
	return out
}

func callers(s *server) []caller {
	var out []caller
	for _, role := range casefile.Roles {
		for _, team := range []string{appealTeam, reviewtest.OtherTeam, casefile.ReferChildSafety.Team(), access.TakedownTeam} {
			login := "m-" + string(role) + "-" + strings.ReplaceAll(team, "_", "-")
			out = append(out, caller{who: s.Add(login, team, role), token: s.Token(login)})
		}
	}
	return out
}

// undo gives back what a route let a caller take, so that the next one finds it as this one did.
func (s *server) undo(c caller, body string) {
	var taken struct {
		review.VerbAnswer
		Appeal  string
		Claimed *struct {
			review.VerbAnswer
			Appeal string
		}
	}
	require.NoError(s.t, json.Unmarshal([]byte(body), &taken), body)
	if taken.Claimed != nil {
		taken.VerbAnswer, taken.Appeal = taken.Claimed.VerbAnswer, taken.Claimed.Appeal
	}
	if taken.Claim == nil {
		return
	}
	var err error
	if taken.Appeal != "" {
		_, err = s.Desk.ReleaseAppeal(context.Background(), c.who, review.AppealCall{Appeal: taken.Appeal}, taken.Claim.Number)
	} else {
		_, err = s.Desk.Release(context.Background(), c.who, review.VerbCall{Case: taken.Case}, taken.Claim.Number)
	}
	require.NoError(s.t, err)
}

// refusalsAfter are the rows behind a sequence number.
func (s *server) refusalsAfter(seq int64) []records.Refusal {
	rows, err := s.Records.Refusals(context.Background(), seq, 200)
	require.NoError(s.t, err)
	return rows
}

// TestMatrix calls every route of the table as every role of four teams about three cases, and holds
// each answer to the table of access and to the route's rule; a route without a rule fails. Every refusal
// is on record, once, under the route's name.
func TestMatrix(t *testing.T) {
	t.Parallel()
	s := newLedgerServer(t)
	about, people := targets(s), callers(s)
	var names []string
	for _, r := range api.Routes() {
		names = append(names, r.Name)
	}
	require.ElementsMatch(t, names, slices.Collect(maps.Keys(rules)), "every route has a rule, and every rule a route")

	seq := int64(0)
	if rows := s.refusalsAfter(0); len(rows) > 0 {
		seq = rows[len(rows)-1].Seq
	}
	cells := 0
	for _, r := range api.Routes() {
		of := about
		if !strings.Contains(r.Path, "{case}") && !strings.Contains(r.Path, "{queue}") && !strings.Contains(r.Path, "{appeal}") {
			of = about[:1]
		}
		for _, at := range of {
			path := strings.NewReplacer("{case}", string(at.ref), "{queue}", at.queue, "{appeal}", at.appeal, "{id}", "flag-1", "{rule}", "none", "{glass}", "none", "{erasure}", "none").Replace(r.Path)
			require.NotContains(t, path, "{", "the test knows every part of an address")
			body := s.body(r, at)
			for _, c := range people {
				cells++
				status, _, got := s.call(r.Method, path, c.token, "application/json", body)
				cell := r.Name + " " + at.name + " as " + c.who.Login
				want := letIn
				switch {
				case !r.Allows(c.who):
					want = refused
				default:
					want = rules[r.Name](c, at)
				}
				if !sees(c, about[2]) {
					for _, secret := range secrets {
						require.NotContains(t, got, secret, cell)
					}
				}
				onRecord := s.refusalsAfter(seq)
				if len(onRecord) > 0 {
					seq = onRecord[len(onRecord)-1].Seq
				}
				switch want {
				case refused:
					require.Equal(t, http.StatusForbidden, status, "%s: %s", cell, got)
					require.Equal(t, casefile.CodeForbidden, problemOf(t, got).Code, cell)
				case withheld:
					require.Equal(t, http.StatusOK, status, "%s: %s", cell, got)
					require.Contains(t, got, `"withheld":true`, cell)
					require.NotContains(t, got, "[the complaint]", cell)
					require.Len(t, onRecord, 1, cell)
					require.Equal(t, "case.words", onRecord[0].Verb)
					require.Equal(t, c.who.Person, onRecord[0].Person)
					continue
				default:
					require.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, status, "%s: %s", cell, got)
					require.Less(t, status, http.StatusInternalServerError, "%s: %s", cell, got)
				}
				if status < 400 {
					require.Empty(t, onRecord, cell)
					if strings.HasSuffix(r.Path, "/claim") || strings.HasSuffix(r.Path, "/next") {
						s.undo(c, got)
					}
					continue
				}
				require.Len(t, onRecord, 1, cell)
				require.Equal(t, records.Refusal{
					Seq: onRecord[0].Seq, Person: c.who.Person, Case: onRecord[0].Case, Verb: r.Name, Code: problemOf(t, got).Code, At: onRecord[0].At,
				}, onRecord[0], cell)
			}
		}
	}
	t.Logf("%d cells", cells)
}

// TestNobodyIsLetIn calls every route without a token that opens anything.
func TestNobodyIsLetIn(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ref, _ := s.Open(1)
	refusals := 0
	for _, r := range api.Routes() {
		for name, token := range map[string]string{"nobody": "", "a wrong token": "dk_api_x", "a session": "dk_ses_" + strings.Repeat("A", 43)} {
			status, header, body := s.call(r.Method, address(r, ref), token, "", "")
			require.Equal(t, http.StatusUnauthorized, status, "%s %s as %s", r.Method, r.Path, name)
			require.Contains(t, header.Get("WWW-Authenticate"), "Bearer")
			require.EqualValues(t, "unauthenticated", problemOf(t, body).Code)
			require.Equal(t, "application/problem+json", header.Get("Content-Type"))
			require.Equal(t, "no-store", header.Get("Cache-Control"))
			require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))
			require.Contains(t, header.Get("Content-Security-Policy"), "default-src 'none'")
			refusals++
		}
	}
	require.Len(t, s.refusalsAfter(0), refusals)
}
