package api

import (
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/review"
)

// Route is one row of the table: what may be called, and what leave it takes.
type Route struct {
	Method, Path string
	// Name is the operation's id, and the verb under which a refusal goes on record.
	Name       string
	Permission access.Permission
	Summary    string

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
func Routes() []Route { return append([]Route(nil), table...) }

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
	{Method: http.MethodGet, Path: "/v1/cases/{case}", Name: "case.show", Permission: access.CaseRead,
		Summary: "Open a case; the look goes on record with its purpose", register: answer((*API).showCase)},
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
		Summary: "Take one's own decision back within its grace time", register: answerBody((*API).withdraw), body: WithdrawBody{}, optional: true},
	{Method: http.MethodPost, Path: "/v1/cases/{case}/close", Name: "case.close", Permission: access.CaseClose,
		Summary: "Close a case without a decision", register: answerBody((*API).closeCase), body: CloseBody{}},
	{Method: http.MethodPost, Path: "/v1/cases/{case}/reopen", Name: "case.reopen", Permission: access.CaseReopen,
		Summary: "Open the account of a closed case again", register: answer((*API).reopen)},
	{Method: http.MethodGet, Path: "/v1/cases/{case}/proof", Name: "case.proof", Permission: access.AuditRead,
		Summary: "The offline proof of a case's decision", register: answer((*API).proof)},
	{Method: http.MethodGet, Path: "/v1/cases/{case}/views", Name: "case.views", Permission: access.WatchRead,
		Summary: "Who looked at a case, and why", register: answer((*API).views)},

	{Method: http.MethodGet, Path: "/v1/refusals", Name: "watch.refusals", Permission: access.WatchRead,
		Summary: "Refused requests", register: answer((*API).refusals)},
	{Method: http.MethodGet, Path: "/v1/me", Name: "me", Permission: access.SessionManage,
		Summary: "Who the token's holder is, and what they may do", register: answer((*API).me)},
	{Method: http.MethodGet, Path: "/v1/events", Name: "events", Permission: access.QueueRead,
		Summary: "Changes of cases as server-sent events", register: raw((*API).events), describe: describeEvents},
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
		Description: "Permission: `" + string(r.Permission) + "`.",
		// SkipValidateBody: bodies are decoded strictly here, not by schema.
		MaxBodyBytes: maxBodyBytes, BodyReadTimeout: bodyReadTimeout, SkipValidateBody: true,
		Middlewares: huma.Middlewares{a.guard(r)},
	}
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
