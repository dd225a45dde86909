package api

import (
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

// Route is one row of the table: what may be called, and what leave it takes.
type Route struct {
	Method, Path string
	// Name is the operation's id, and the verb under which a refusal goes on record.
	Name       string
	Permission access.Permission
	// Or is another permission that lets somebody in as well; "" for none.
	Or      access.Permission
	Summary string

	register func(a *API, op huma.Operation)
	// body is a zero value of the request's body, for the description; nil for none.
	body any
	// optional says that the body may be left out.
	optional bool
	// describe adds to the description what the types do not tell; nil for nothing.
	describe func(a *API, op *huma.Operation)
}

// Routes are all rows of the table. Nothing else is routed, but for /healthz, /readyz and /metrics,
// which the role's constructor adds.
func Routes() []Route { return slices.Concat(table, erasureRoutes) }

// The table.
var table = []Route{
	{Method: http.MethodPost, Path: "/v1/flags", Name: "flag.submit", Permission: access.FlagSubmit,
		Summary: "Hand in one flag (JSON), or many (NDJSON, one answer line a line)", register: raw((*API).submitFlags), describe: describeFlags},
	{Method: http.MethodGet, Path: "/v1/flags/{id}", Name: "flag.show", Permission: access.FlagRead,
		Summary: "How far a flag has come", register: answer((*API).flagStatus)},

	{Method: http.MethodGet, Path: "/v1/queues", Name: "queue.list", Permission: access.QueueRead,
		Summary: "Queues with their counts", register: answer((*API).queues)},
	{Method: http.MethodGet, Path: "/v1/queues/{queue}/cases", Name: "queue.cases", Permission: access.QueueRead,
		Summary: "A queue in its order", register: answer((*API).queueCases)},
	{Method: http.MethodPost, Path: "/v1/queues/{queue}/next", Name: "case.next", Permission: access.CaseNext,
		Summary: "Claim the next case of a queue", register: answer((*API).next)},

	{Method: http.MethodGet, Path: "/v1/cases", Name: "case.list", Permission: access.CaseList,
		Summary: "Cases by state, newest opened first", register: answer((*API).listCases)},
	{Method: http.MethodPost, Path: "/v1/cases/search", Name: "case.find", Permission: access.CaseFind,
		Summary:  "Look for cases by number, account id or words (in the body: no handle belongs in an address)",
		register: answerBody((*API).findCases), body: review.Query{}},
	{Method: http.MethodGet, Path: "/v1/cases/{case}", Name: "case.show", Permission: access.CaseRead, Or: access.GlassBreak,
		Summary: "Open a case; the look goes on record with its purpose. Of a restricted one, whoever may not see it gets codes alone", register: answer((*API).showCase)},
	{Method: http.MethodPost, Path: "/v1/cases/{case}/claim", Name: "case.claim", Permission: access.CaseClaim,
		Summary: "Claim a case", register: answer((*API).claim)},
	{Method: http.MethodPost, Path: "/v1/cases/{case}/heartbeat", Name: "case.heartbeat", Permission: access.CaseClaim,
		Summary: "Move the lease of a claim on; sent only on a person's input", register: answerBody((*API).heartbeat), body: ClaimBody{}},
	{Method: http.MethodPost, Path: "/v1/cases/{case}/release", Name: "case.release", Permission: access.CaseClaim,
		Summary: "Give a case back to its queue", register: answerBody((*API).release), body: ClaimBody{}},
	{Method: http.MethodPost, Path: "/v1/cases/{case}/comment", Name: "case.comment", Permission: access.CaseComment,
		Summary: "Add a comment", register: answerBody((*API).comment), body: CommentBody{}},
	{Method: http.MethodPost, Path: "/v1/cases/{case}/preview", Name: "case.preview", Permission: access.CaseOpinion,
		Summary: "What an opinion would bring about, and the exact notice", register: answerBody((*API).preview), body: PreviewBody{}},
	{Method: http.MethodPost, Path: "/v1/cases/{case}/opinion", Name: "case.opinion", Permission: access.CaseOpinion,
		Summary: "Give an opinion", register: answerBody((*API).opinion), body: OpinionBody{}},
	{Method: http.MethodPost, Path: "/v1/cases/{case}/withdraw", Name: "case.withdraw", Permission: access.CaseWithdraw,
		Summary: "Take a decision back within its grace time: whose opinion it rests on, or a lead where a rule decided", register: answerBody((*API).withdraw), body: WithdrawBody{}, optional: true},
	{Method: http.MethodPost, Path: "/v1/cases/{case}/close", Name: "case.close", Permission: access.CaseClose,
		Summary: "Close a case without a decision", register: answerBody((*API).closeCase), body: CloseBody{}},
	{Method: http.MethodPost, Path: "/v1/cases/{case}/snooze", Name: "case.snooze", Permission: access.CaseSnooze,
		Summary: "Give a case back to its queue, to be offered to nobody until a time, at most 7 days ahead", register: answerBody((*API).snooze), body: UntilBody{}},
	{Method: http.MethodPost, Path: "/v1/cases/{case}/hold", Name: "case.hold", Permission: access.CaseHold,
		Summary: "Keep a case without input until a time, at most 24 hours ahead", register: answerBody((*API).hold), body: UntilBody{}},
	{Method: http.MethodPost, Path: "/v1/cases/{case}/hand-over", Name: "case.handover", Permission: access.CaseHandOver,
		Summary: "Give a case to another person or queue", register: answerBody((*API).handOver), body: HandOverBody{}},
	{Method: http.MethodGet, Path: "/v1/cases/{case}/takers", Name: "case.takers", Permission: access.CaseHandOver,
		Summary: "To whom a case that one holds may be handed over", register: answer((*API).takers)},
	{Method: http.MethodPost, Path: "/v1/cases/{case}/escalate", Name: "case.escalate", Permission: access.CaseEscalate,
		Summary: "Give a case to the lead's queue, or call a threat to life", register: answerBody((*API).escalate), body: EscalateBody{}},
	{Method: http.MethodPost, Path: "/v1/cases/{case}/deadline", Name: "case.deadline", Permission: access.CaseDeadline,
		Summary: "Move a case's deadline", register: answerBody((*API).moveDeadline), body: DeadlineBody{}},
	{Method: http.MethodPost, Path: "/v1/cases/{case}/force-release", Name: "case.force_release", Permission: access.CaseForceRelease,
		Summary: "End somebody else's claim", register: answerBody((*API).forceRelease), body: ReasonBody{}},
	{Method: http.MethodPost, Path: "/v1/cases/{case}/refer", Name: "case.refer", Permission: access.CaseRefer,
		Summary: "Refer a case to another team; the case goes on", register: answerBody((*API).refer), body: ReferBody{}},
	{Method: http.MethodPost, Path: "/v1/cases/{case}/glass", Name: "glass.break", Permission: access.GlassBreak,
		Summary: "Open a case to oneself without the right to it, for a reason and a short time; somebody else reviews it", register: answerBody((*API).breakGlass), body: GlassBody{}},
	{Method: http.MethodPost, Path: "/v1/cases/{case}/reopen", Name: "case.reopen", Permission: access.CaseReopen,
		Summary: "Open the account of a closed case again", register: answer((*API).reopen)},
	{Method: http.MethodGet, Path: "/v1/cases/{case}/proof", Name: "case.proof", Permission: access.AuditRead,
		Summary: "The offline proof of a case's decision", register: answer((*API).proof)},
	{Method: http.MethodGet, Path: "/v1/cases/{case}/views", Name: "case.views", Permission: access.WatchRead,
		Summary: "Who looked at a case, and why", register: answer((*API).views)},

	{Method: http.MethodPost, Path: "/v1/appeals", Name: "appeal.open", Permission: access.AppealOpen,
		Summary: "Hand an appeal in, by the number on the notice", register: answerBody((*API).openAppeal), body: AppealBody{}},
	{Method: http.MethodGet, Path: "/v1/appeals", Name: "appeal.list", Permission: access.AppealList,
		Summary: "Appeals by state, the one due first before the others", register: answer((*API).appeals)},
	{Method: http.MethodPost, Path: "/v1/appeals/next", Name: "appeal.next", Permission: access.AppealClaim,
		Summary: "Claim the appeal that is due first among those that one may decide", register: answer((*API).nextAppeal)},
	{Method: http.MethodGet, Path: "/v1/appeals/{appeal}", Name: "appeal.show", Permission: access.AppealList,
		Summary: "Open an appeal with its case; the look goes on record. Whoever took part is refused", register: answer((*API).showAppeal)},
	{Method: http.MethodPost, Path: "/v1/appeals/{appeal}/claim", Name: "appeal.claim", Permission: access.AppealClaim,
		Summary: "Claim an appeal, or keep it for longer", register: answer((*API).claimAppeal)},
	{Method: http.MethodPost, Path: "/v1/appeals/{appeal}/release", Name: "appeal.release", Permission: access.AppealClaim,
		Summary: "Give an appeal back", register: answerBody((*API).releaseAppeal), body: ClaimBody{}},
	{Method: http.MethodPost, Path: "/v1/appeals/{appeal}/preview", Name: "appeal.preview", Permission: access.AppealRule,
		Summary: "What a ruling would bring about, and the exact notice", register: answerBody((*API).previewRuling), body: casefile.AppealForm{}},
	{Method: http.MethodPost, Path: "/v1/appeals/{appeal}/rule", Name: "appeal.rule", Permission: access.AppealRule,
		Summary: "Decide an appeal", register: answerBody((*API).ruleAppeal), body: RulingBody{}},

	{Method: http.MethodGet, Path: "/v1/acts", Name: "act.list", Permission: access.ActList,
		Summary: "Acts that have not come to a good end, the longest waiting first", register: answer((*API).acts)},
	{Method: http.MethodPost, Path: "/v1/acts/pause", Name: "act.pause", Permission: access.ActPause,
		Summary: "Stop acts, on one platform or all: once it has answered, none starts", register: answerBody((*API).pauseActs), body: ActsBody{}},
	{Method: http.MethodPost, Path: "/v1/acts/resume", Name: "act.resume", Permission: access.ActResume,
		Summary: "Let acts go on", register: answerBody((*API).resumeActs), body: ActsBody{}},
	{Method: http.MethodPost, Path: "/v1/acts/settle", Name: "act.settle", Permission: access.ActSettle,
		Summary: "Say how an uncertain act ended", register: answerBody((*API).settleAct), body: SettleBody{}},
	{Method: http.MethodGet, Path: "/v1/switches", Name: "switch.list", Permission: access.SwitchRead,
		Summary: "Switches with the reasons they were set for, and breakers", register: answer((*API).switches)},
	{Method: http.MethodGet, Path: "/v1/banner", Name: "switch.banner", Permission: access.SessionManage,
		Summary: "What every page says: what is paused, whether rules decide, what tripped", register: answer((*API).banner)},
	{Method: http.MethodPost, Path: "/v1/automation", Name: "switch.automation", Permission: access.SwitchAutomation,
		Summary: "Let automatic rules decide, or stop them", register: answerBody((*API).automation), body: AutomationBody{}},
	{Method: http.MethodGet, Path: "/v1/breakers", Name: "breaker.list", Permission: access.SwitchRead,
		Summary: "The breaker of every rule that ever counted", register: answer((*API).breakers)},
	{Method: http.MethodPost, Path: "/v1/breakers/{rule}/arm", Name: "breaker.arm", Permission: access.BreakerArm,
		Summary: "Arm a breaker that tripped", register: answer((*API).armBreaker)},

	{Method: http.MethodGet, Path: "/v1/people", Name: "people.list", Permission: access.PeopleRead,
		Summary: "Staff, with names where the caller sees them", register: answer((*API).people)},
	{Method: http.MethodPost, Path: "/v1/people", Name: "people.add", Permission: access.PeopleManage,
		Summary: "Add somebody; the answer has their login link or token, this once", register: answerBody((*API).addPerson), body: review.NewPersonCall{}},
	{Method: http.MethodPost, Path: "/v1/people/disable", Name: "people.disable", Permission: access.PeopleManage,
		Summary: "End what somebody may do, and what they hold", register: answerBody((*API).disablePerson), body: PersonBody{}},
	{Method: http.MethodPost, Path: "/v1/people/enable", Name: "people.enable", Permission: access.PeopleManage,
		Summary: "Let somebody come back", register: answerBody((*API).enablePerson), body: PersonBody{}},
	{Method: http.MethodPost, Path: "/v1/people/reset", Name: "people.reset", Permission: access.PeopleManage,
		Summary: "End every token and session of somebody; the answer has a new login link or token, this once", register: answerBody((*API).resetPerson), body: PersonBody{}},
	{Method: http.MethodGet, Path: "/v1/glass", Name: "glass.list", Permission: access.GlassReview,
		Summary: "Cases opened without the right to them, with the reasons", register: answer((*API).brokenGlass)},
	{Method: http.MethodPost, Path: "/v1/glass/{glass}/review", Name: "glass.review", Permission: access.GlassReview,
		Summary: "Say once whether there was good reason; never of oneself", register: answerBody((*API).reviewGlass), body: GlassReviewBody{}},
	{Method: http.MethodPost, Path: "/v1/reconcile", Name: "reconcile.run", Permission: access.ReconcileRun,
		Summary: "Find workflows that are missing and start them again", register: answer((*API).reconcile)},

	{Method: http.MethodGet, Path: "/v1/decisions", Name: "decision.feed", Permission: access.DecisionFeed,
		Summary: "Proven decisions in the order of the log, for systems that act on them; every account given goes on record", register: answer((*API).decisionFeed)},
	{Method: http.MethodGet, Path: "/v1/refusals", Name: "watch.refusals", Permission: access.WatchRead,
		Summary: "Refused requests", register: answer((*API).refusals)},
	{Method: http.MethodGet, Path: "/v1/me", Name: "me", Permission: access.SessionManage,
		Summary: "Who the token's holder is, and what they may do", register: answer((*API).me)},
	{Method: http.MethodGet, Path: "/v1/events", Name: "events", Permission: access.QueueRead, Or: access.ActList,
		Summary: "Changes as server-sent events", register: raw((*API).events), describe: describeEvents},
	{Method: http.MethodGet, Path: "/v1/openapi.json", Name: "openapi", Permission: access.SessionManage,
		Summary: "This description", register: raw((*API).openapi), describe: describeSpec},
}

// Limits of a request's body and of the time to read it.
const (
	maxBodyBytes    = 64 << 10
	bodyReadTimeout = 15 * time.Second
)

func (r Route) operation(a *API) huma.Operation {
	return huma.Operation{
		OperationID: r.Name, Method: r.Method, Path: r.Path, Summary: r.Summary,
		Description: r.needs(),
		// SkipValidateBody: bodies are decoded strictly here, not by schema.
		MaxBodyBytes: maxBodyBytes, BodyReadTimeout: bodyReadTimeout, SkipValidateBody: true,
		Middlewares: huma.Middlewares{a.guard(r)},
	}
}

// Allows reports whether somebody may call the route at all. What it answers them may still hang on
// their team, on the part they took, and on what is restricted.
func (r Route) Allows(who access.Who) bool {
	return who.May(r.Permission) || r.Or != "" && who.May(r.Or)
}

func (r Route) needs() string {
	if r.Or != "" {
		return "Permission: `" + string(r.Permission) + "` or `" + string(r.Or) + "`."
	}
	return "Permission: `" + string(r.Permission) + "`."
}

// document completes the description: huma is handed raw bodies and knows nothing of their type.
func (r Route) document(a *API) {
	op := a.documented(r)
	if r.body != nil {
		op.RequestBody = &huma.RequestBody{Required: !r.optional, Content: map[string]*huma.MediaType{
			"application/json": {Schema: a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(r.body), true, "")},
		}}
	}
	if r.describe != nil {
		r.describe(a, op)
	}
}

func (a *API) documented(r Route) *huma.Operation {
	item := a.huma.OpenAPI().Paths[r.Path]
	if r.Method == http.MethodGet {
		return item.Get
	}
	return item.Post
}
