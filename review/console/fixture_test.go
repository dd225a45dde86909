package console_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/policy/notice"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/reviewtest"
)

// fixture is the desk of a bench with cases of its own making laid over it, for pages that no mild
// flow would bring about.
type fixture struct {
	*review.Desk
	cases   map[casefile.CaseRef]review.CaseView
	queues  []review.QueueView
	rows    map[string][]review.CaseRow
	held    []review.CaseRow
	preview *review.Preview
	down    error  // what opening a case, and reading what is paused, comes to, if set
	panics  string // what opening a case panics with, if set

	appeals  []review.AppealRow
	appeal   *review.AppealView
	ruling   *review.Preview
	pending  []review.PendingActView
	switches *review.SwitchesView
	banner   *review.Banner
	glass    []review.GlassView
	people   []review.PersonView
	views    []review.ViewRow
}

func (f *fixture) OpenAppeals(ctx context.Context, who access.Who, state casefile.AppealState, cursor string, limit int) (review.AppealPage, error) {
	if f.appeals != nil {
		return review.AppealPage{Appeals: f.appeals}, who.Require(access.AppealList)
	}
	return f.Desk.OpenAppeals(ctx, who, state, cursor, limit)
}

func (f *fixture) Appeal(ctx context.Context, who access.Who, id string) (review.AppealView, error) {
	if f.appeal != nil {
		return *f.appeal, who.Require(access.AppealList)
	}
	return f.Desk.Appeal(ctx, who, id)
}

func (f *fixture) PreviewRuling(ctx context.Context, who access.Who, appeal string, form casefile.AppealForm) (review.Preview, error) {
	if f.ruling != nil {
		return *f.ruling, who.Require(access.AppealRule)
	}
	return f.Desk.PreviewRuling(ctx, who, appeal, form)
}

func (f *fixture) PendingActs(ctx context.Context, who access.Who, platform string, stage records.ActStage, cursor string, limit int) (review.ActPage, error) {
	if f.pending != nil {
		return review.ActPage{Acts: f.pending}, who.Require(access.ActList)
	}
	return f.Desk.PendingActs(ctx, who, platform, stage, cursor, limit)
}

func (f *fixture) Switches(ctx context.Context, who access.Who) (review.SwitchesView, error) {
	if f.switches != nil {
		return *f.switches, who.Require(access.SwitchRead)
	}
	return f.Desk.Switches(ctx, who)
}

func (f *fixture) Banner(ctx context.Context, who access.Who) (review.Banner, error) {
	if f.down != nil {
		return review.Banner{}, f.down
	}
	if f.banner != nil {
		return *f.banner, who.Require(access.SessionManage)
	}
	return f.Desk.Banner(ctx, who)
}

func (f *fixture) BrokenGlass(ctx context.Context, who access.Who, open bool, limit int) (review.GlassPage, error) {
	if f.glass != nil {
		return review.GlassPage{Glass: f.glass}, who.Require(access.GlassReview)
	}
	return f.Desk.BrokenGlass(ctx, who, open, limit)
}

func (f *fixture) People(ctx context.Context, who access.Who) ([]review.PersonView, error) {
	if f.people != nil {
		return f.people, who.Require(access.PeopleRead)
	}
	return f.Desk.People(ctx, who)
}

func (f *fixture) Views(ctx context.Context, who access.Who, ref casefile.CaseRef, after int64, limit int) ([]review.ViewRow, int64, error) {
	if f.views != nil {
		return f.views, 0, who.Require(access.WatchRead)
	}
	return f.Desk.Views(ctx, who, ref, after, limit)
}

func (f *fixture) Case(ctx context.Context, who access.Who, ref casefile.CaseRef, purpose string) (review.CaseView, error) {
	if f.panics != "" {
		panic(f.panics)
	}
	if f.down != nil {
		return review.CaseView{}, f.down
	}
	v, ok := f.cases[ref]
	if !ok {
		return f.Desk.Case(ctx, who, ref, purpose)
	}
	_, err := who.Purpose(purpose)
	if err != nil {
		return review.CaseView{}, err
	}
	v.Mine = v.Claim != nil && v.Claim.Person == who.Person
	return v, nil
}

func (f *fixture) Standing(ctx context.Context, who access.Who, ref casefile.CaseRef) (review.Standing, error) {
	v, ok := f.cases[ref]
	if !ok {
		return f.Desk.Standing(ctx, who, ref)
	}
	s := review.Standing{Revision: v.Revision, EvidenceRevision: v.EvidenceRevision, State: v.State, Proven: v.Proof != nil}
	if v.Decision != nil {
		s.Decision = v.Decision.State
	}
	return s, nil
}

func (f *fixture) Queues(ctx context.Context, who access.Who) ([]review.QueueView, error) {
	if f.queues != nil {
		return f.queues, who.Require(access.QueueRead)
	}
	return f.Desk.Queues(ctx, who)
}

func (f *fixture) QueueCases(ctx context.Context, who access.Who, queue, cursor string, limit int) (review.CasePage, error) {
	rows, ok := f.rows[queue]
	if !ok {
		return f.Desk.QueueCases(ctx, who, queue, cursor, limit)
	}
	return review.CasePage{Cases: rows}, who.Require(access.QueueRead)
}

func (f *fixture) Held(ctx context.Context, who access.Who) ([]review.CaseRow, error) {
	if f.held != nil {
		return f.held, nil
	}
	return f.Desk.Held(ctx, who)
}

func (f *fixture) Preview(ctx context.Context, who access.Who, call review.PreviewCall) (review.Preview, error) {
	_, ok := f.cases[call.Case]
	if !ok {
		return f.Desk.Preview(ctx, who, call)
	}
	out := review.Preview{Faults: review.FaultsOf(call.Form.Validate().Err()), Consequences: []string{"The account's features are limited for 7 days."}}
	if f.preview != nil && len(out.Faults) == 0 {
		out = *f.preview
	}
	return out, nil
}

// wording is what somebody wrote who is under review: everything that a page repeats of theirs.
type wording struct {
	handle, name, bio, id, text, url, mention, mediaType, detail, rule, term, label, why, source, comment string
	lang                                                                                                  string
}

// mild is a wording that no page has to guard against.
var mild = wording{
	handle: "synthetic_1", name: "Synthetic Account", bio: "a mild profile", id: "post-1", text: "so [praise of a designated group] and more",
	url: "https://example.org/a", mention: "somebody", mediaType: "image", detail: "5 of 3", rule: "praise", term: "praise",
	label: "post", why: "timed out", source: "local", comment: "please look twice", lang: "en",
}

// attacks are words that try to be more than text, one for each way in.
var attacks = []string{
	`<script>alert(1)</script>`,
	`"><img src=x onerror=alert(1)>`,
	`' onmouseover='alert(1)`,
	`</textarea></p></div><h1 id="confirm">Confirmed</h1><form action="https://evil.example">`,
	`<svg/onload=alert(1)><style>*{display:none}</style>`,
	`javascript:alert(1)`,
	`{{.Session}} {{template "frame" .}} ${7*7} <%= 7*7 %>`,
	"\u202egnp.exe\u202c \u2066hidden\u2069 \u200bsplit\u200b",
	"null \x00 bell \x07 escape \x1b[31m \xff\xfe invalid",
	"<!-- --> <![CDATA[ ]]> &lt;b&gt; &amp;amp; &#x3c;",
	`<meta http-equiv="refresh" content="0;url=https://evil.example"><base href="https://evil.example">`,
	"line one\r\nline two\u2028line three",
}

func init() {
	for _, a := range reviewtest.Attacks {
		attacks = append(attacks, a.Text)
	}
}

// hostile is a wording that says an attack everywhere.
func hostile(attack string) wording {
	return wording{
		handle: attack, name: attack, bio: attack, id: attack, text: attack, url: attack, mention: attack, mediaType: attack, detail: attack,
		rule: attack, term: attack, label: attack, why: attack, source: attack, comment: attack, lang: attack,
	}
}

func at(minutes int) time.Time {
	return time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC).Add(time.Duration(minutes) * time.Minute)
}

func ptr[T any](x T) *T { return &x }

const fixtureCase = casefile.CaseRef("7K2QX-9MDT4")

// caseOf makes a case that says w wherever somebody else's words may stand, held by the person.
func caseOf(w wording, holder casefile.Person) review.CaseView {
	account := casefile.Account{
		ID: w.id, Handle: w.handle, DisplayName: w.name, Bio: w.bio, CreatedAt: ptr(at(-100000)), Followers: ptr(int64(0)),
	}
	event := casefile.Event{
		Kind: casefile.EventPost, Platform: "example", ID: w.id, Account: account, Text: w.text, Lang: w.lang, At: at(-90),
		URLs: []string{w.url, w.url}, Mentions: []string{w.mention}, ReplyTo: w.id, RepostOf: w.id,
		Media: []casefile.Media{{Type: w.mediaType, URL: w.url, MIME: w.mediaType, SizeBytes: 20480, SHA256: w.term, PDQ: w.term}},
	}
	spans := []casefile.Span{{Start: 0, End: 3, Term: w.term}, {Start: 2, End: 9, Term: w.term}, {Start: -4, End: 1}, {Start: 5, End: 9999}}
	return review.CaseView{
		CaseRow: review.CaseRow{
			Case: fixtureCase, Platform: "example", AccountID: w.id, Handle: w.handle, State: casefile.StateClaimed, Queue: "speech",
			Severity: 4, Confidence: 2, Tier: casefile.TierAlert, DueAt: ptr(at(600)), OpenedAt: at(-80), Flags: 1, Holder: holder,
		},
		Revision: 7, EvidenceRevision: 2, Ordinal: 2, Account: account,
		Route: casefile.Route{
			Queue: "speech", Severity: 4, Confidence: 2, Tier: casefile.TierAlert, DueAt: at(600), Rule: "speech", RuleSet: "0f3c9a7712d4e5b6",
			Values: map[string]string{"flags.policies": `["VE-08"]`, `value("score", "max")`: "0.71"},
		},
		Claim: &casefile.Claim{Number: 3, Person: holder, Role: casefile.RoleReviewer, GrantedAt: at(-1), ExpiresAt: at(9)},
		FlagViews: []review.FlagView{{
			ID: w.id, At: at(-85), TakenAt: at(-84), Detector: casefile.Detector{Name: w.source, Version: w.rule}, Posts: []string{w.id}, Source: "p-detector",
			Reasons: []casefile.Reason{{Rule: w.rule, Policy: casefile.VE08, Weight: 5, Detail: w.detail, Terms: []casefile.Match{{Post: w.id, Term: w.term, Start: 0, End: 3}}}},
		}},
		Evidence: []review.EvidencePost{
			{Event: event, Spans: spans, Score: ptr(0.71), New: true, Undecided: true},
			{Event: casefile.Event{Kind: casefile.EventAccount, Platform: "example", Account: account, Text: w.bio, At: at(-95)}},
		},
		Findings: []casefile.Finding{
			{Kind: casefile.FindingScore, Source: w.source, Version: w.rule, At: at(-70), Status: casefile.StatusKnown, Values: map[string]float64{"max": 0.71, "posts": 1, "p_ve_08": 0.66},
				Items: []casefile.FindingItem{{Label: w.label, Post: w.id, Text: w.text, At: ptr(at(-90)), Score: ptr(0.71), Spans: spans}}},
			{Kind: casefile.FindingHistory, Source: w.source, Version: "1", At: at(-70), Status: casefile.StatusFailed, Why: w.why},
			{Kind: casefile.FindingLookAlike, Source: w.source, Version: "1", At: at(-70), Status: casefile.StatusUnknown, Why: w.why},
			{Kind: casefile.FindingStrikes, Source: "records", Version: "1", At: at(-70), Status: casefile.StatusKnown, Values: map[string]float64{"live": 0}},
		},
		Linked:   []review.LinkedAccount{{Account: casefile.Account{ID: w.id, Handle: w.handle}, Why: w.label, Case: "AAAAA-BBBBB"}},
		Earlier:  []review.EarlierCase{{Case: "CCCCC-DDDDD", OpenedAt: at(-90000), ClosedAt: ptr(at(-89000)), Reason: casefile.CloseDecided, Action: casefile.L4, Policies: []casefile.PolicyCode{casefile.VE08}}},
		Comments: []review.CommentView{{ID: "c1", Person: "p-colleague", At: at(-3), Text: w.comment}},
		Handled: []review.HandledView{
			{What: casefile.HandlingEscalated, Person: "p-colleague", Role: casefile.RoleReviewer, At: at(-30), Queue: "lead", Reason: w.comment},
			{What: casefile.HandlingThreat, Person: "p-colleague", Role: casefile.RoleReviewer, At: at(-29), Queue: "lead", Reason: w.comment},
			{What: casefile.HandlingHandOver, Person: "p-lead", Role: casefile.RoleLead, At: at(-28), To: "p-colleague", Reason: w.comment},
			{What: casefile.HandlingHandOver, Person: "p-colleague", Role: casefile.RoleReviewer, At: at(-27), Queue: "speech", Reason: w.comment},
			{What: casefile.HandlingDeadline, Person: "p-lead", Role: casefile.RoleLead, At: at(-26), Deadline: casefile.DeadlineDecision, Until: ptr(at(600)), Reason: w.comment},
			{What: casefile.HandlingReleased, Person: "p-lead", Role: casefile.RoleLead, At: at(-25), To: "p-colleague"},
		},
		Deadlines: []review.DeadlineView{
			{Deadline: casefile.DeadlineTouch, DueAt: at(-10), Missed: true},
			{Deadline: casefile.DeadlineDecision, DueAt: at(600), Half: true},
		},
		AccountState: review.AccountState{EarlierHandles: []string{w.handle}, GoneAt: ptr(at(-5))},
		Referrals:    []review.ReferralView{{ID: "r1", Kind: casefile.ReferLegal, Person: "p-colleague", At: at(-4), Event: "case.7K2QX-9MDT4/3", Words: w.comment}},
		Recommendation: &review.RecommendationView{
			Policies: []casefile.PolicyCode{casefile.VE08}, Action: casefile.L3, Days: 7, Reason: "The account has no strike that has not lapsed.",
		},
		Missing: []string{"1 matched places lie outside the post they name and are not marked."},
	}
}

// noticeOf is the notice of an opinion that relies on a post.
func noticeOf(w wording) string {
	n, err := notice.Render(notice.Data{
		Number: "N-4T9QW-0XK3B", Date: at(-2), Case: fixtureCase, Service: "Example", Account: casefile.Account{ID: w.id, Handle: w.handle}, Lang: "en",
		Judgement: casefile.Judgement{Action: casefile.L3, Days: 7, Policies: []casefile.PolicyCode{casefile.VE08}, EntityTier: casefile.E1},
		Posts:     []notice.Post{{ID: w.id, At: at(-90), Text: w.text}},
	})
	if err != nil {
		return err.Error()
	}
	return n.Text
}

// decidedOf is caseOf after a decision that has been proven and is being carried out.
func decidedOf(w wording, by casefile.Person, state casefile.DecisionState) review.CaseView {
	v := caseOf(w, by)
	v.State, v.Claim, v.Holder = casefile.StateDecided, nil, ""
	judgement := casefile.Judgement{Action: casefile.L3, Days: 7, Policies: []casefile.PolicyCode{casefile.VE08}, EntityTier: casefile.E1, Mitigations: map[casefile.Mitigation]casefile.Answer{}}
	for _, m := range casefile.Mitigations {
		judgement.Mitigations[m] = casefile.AnswerNo
	}
	judgement.Mitigations[casefile.M1] = casefile.AnswerYes
	v.Opinions = []review.OpinionView{{
		Opinion:   casefile.Opinion{ID: "o1", Person: by, Role: casefile.RoleReviewer, At: at(-2), Judgement: judgement},
		Rationale: w.comment, Relied: []string{w.id},
	}}
	v.Decision = &review.DecisionView{
		ID: "01HDECISION", State: state, DecidedAt: at(-2), DecidedBy: casefile.ByOneOpinion, Judgement: judgement,
		Notice: noticeOf(w), NoticeNo: "N-4T9QW-0XK3B", NoticeSent: casefile.NoticePlanned,
	}
	if state == casefile.DecisionGrace {
		v.Decision.GraceUntil = ptr(at(3))
		return v
	}
	v.State = casefile.StateProven
	v.Decision.NoticeSent, v.Decision.Standing = casefile.NoticeSent, "o1"
	v.Decision.Appeals = []review.AppealRow{{
		Appeal: "01HAPPEAL", Kind: casefile.AppealByAccount, Case: fixtureCase, State: casefile.AppealRejected, OpenedAt: at(-1), DueAt: at(900),
		Outcome: casefile.OutcomeRejected, RuledBy: "p-judge0000", RuledAt: ptr(at(0)), Late: true,
	}}
	v.Decision.Acts = []review.ActView{
		{Act: casefile.Act{Decision: "01HDECISION", Number: 2, Kind: casefile.ActSuspend, Target: -1}, Direction: casefile.Undo, State: casefile.ActUncertain, PlannedAt: at(-1), StartedAt: ptr(at(-1)), Why: "uncertain", Tries: 3, LastError: "unavailable"},
		{Act: casefile.Act{Decision: "01HDECISION", Number: 1, Kind: casefile.ActLimit, Target: -1, Until: ptr(at(10080))}, Direction: casefile.Do, State: casefile.ActDone, PlannedAt: at(-1), StartedAt: ptr(at(-1)), EndedAt: ptr(at(0)), Reference: "ref-8812"},
	}
	v.Proof = &review.ProofView{Event: "case.7K2QX-9MDT4/4", Hash: strings.Repeat("5e", 32), Index: 41, Origin: "docket.example/log", Size: 48}
	return v
}

// differingOf is a case on which two people differ, as the lead sees it who settles it.
func differingOf(w wording) review.CaseView {
	v := caseOf(w, "")
	v.State, v.Claim, v.Stage = casefile.StateQueued, nil, casefile.StageAdjudication
	for i, action := range []casefile.Action{casefile.L6, casefile.L4} {
		mitigations := map[casefile.Mitigation]casefile.Answer{}
		for _, m := range casefile.Mitigations {
			mitigations[m] = casefile.AnswerNo
		}
		mitigations[casefile.M3] = []casefile.Answer{casefile.AnswerNo, casefile.AnswerYes}[i]
		v.Opinions = append(v.Opinions, review.OpinionView{
			Opinion: casefile.Opinion{
				ID: fmt.Sprint("o", i+1), Person: casefile.Person(fmt.Sprint("p-person00", i+1)), Role: casefile.RoleReviewer, At: at(-20 + 10*i),
				Judgement: casefile.Judgement{Action: action, Policies: []casefile.PolicyCode{casefile.VE08, casefile.VE09}[:2-i], EntityTier: casefile.E1, Mitigations: mitigations},
			},
			Rationale: w.comment, Relied: []string{w.id, casefile.EvidenceProfile, "elsewhere"}[:3-i], Blind: true,
		})
	}
	return v
}

// appealOf is an appeal that the person holds, against a decision that was carried out.
func appealOf(w wording, holder casefile.Person) review.AppealView {
	return review.AppealView{
		AppealRow: review.AppealRow{
			Appeal: "01HAPPEAL", Kind: casefile.AppealByAccount, Decision: "01HDECISION", Case: fixtureCase, Platform: "example",
			State: casefile.AppealClaimed, OpenedAt: at(-600), DueAt: at(3000), Holder: holder,
		},
		OpenedBy: "p-detector", Notice: "4T9QW0XK3B", Words: w.comment, Mine: true, View: decidedOf(w, "p-colleague", casefile.DecisionDone),
		Claim:   &casefile.Claim{Number: 2, Person: holder, Role: casefile.RoleReviewer, GrantedAt: at(-1), ExpiresAt: at(9)},
		Missing: []string{"The notice of the ruling could not be opened."},
	}
}

// attachedOf is a case that was closed as already decided.
func attachedOf(w wording) review.CaseView {
	v := caseOf(w, "")
	v.State, v.Claim, v.ClosedAt, v.Reason = casefile.StateClosed, nil, ptr(at(-1)), casefile.CloseAlreadyDecided
	v.Attached = &review.AttachedView{
		Decision: "01HEARLIER", Case: "AAAAA-BBBBB", State: casefile.DecisionDone, At: at(-9000),
		Judgement: casefile.Judgement{Action: casefile.L5, Days: 30, Policies: []casefile.PolicyCode{casefile.VE08}, EntityTier: casefile.E1},
	}
	return v
}

// crowded is a case with the longest handle, many posts in several scripts, and n findings.
func crowded(holder casefile.Person, n int) review.CaseView {
	w := mild
	w.handle = strings.Repeat("very_long_synthetic_handle_", 9) + "end"
	w.name = strings.Repeat("سلسلة طويلة ", 12)
	w.text = "هذا نص تجريبي باللغة العربية مع [praise of a designated group] في الوسط 12345 ثم كلمات أخرى"
	w.lang = "ar"
	v := caseOf(w, holder)
	v.Evidence[0].Spans = []casefile.Span{{Start: strings.Index(w.text, "["), End: strings.Index(w.text, "]") + 1}}
	for i := range 12 {
		text := fmt.Sprintf("Post number %d with [praise of a designated group] and l33t p\u200br\u200ba\u200bise, a \u202elink\u202c, 👩‍👩‍👧 and an address.", i)
		v.Evidence = append(v.Evidence, review.EvidencePost{
			Event: casefile.Event{Kind: casefile.EventPost, Platform: "example", ID: fmt.Sprintf("post-%d", i+2), Text: text, Lang: "en", At: at(-100 - i), URLs: []string{"https://example.org/" + strings.Repeat("path/", 30)}},
			Spans: []casefile.Span{{Start: strings.Index(text, "["), End: strings.Index(text, "]") + 1}},
		})
	}
	for i := range n {
		f := casefile.Finding{Kind: casefile.FindingHistory, Source: "index", Version: "2026-03", At: at(-60), Status: casefile.StatusKnown, Values: map[string]float64{"posts": float64(i), "days": 30}}
		switch i % 10 {
		case 3:
			f.Status, f.Why, f.Values = casefile.StatusUnknown, "outside the window of history", nil
		case 7:
			f.Status, f.Why, f.Values = casefile.StatusFailed, "the index did not answer", nil
		}
		v.Findings = append(v.Findings, f)
	}
	return v
}
