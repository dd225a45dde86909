package console

import (
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"runtime/debug"
	"slices"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
)

// Page is one row of the table: what may be asked for, and what leave it takes.
type Page struct {
	Method, Path string
	// Name is how the page stands in the log, and the verb under which a refusal goes on record.
	Name string
	// Permission is "" for the pages that need no session.
	Permission access.Permission
	// Or is another permission that is leave enough; "" for none.
	Or    access.Permission
	serve func(v *visit) error
}

// Allows reports whether somebody may ask for the page.
func (p Page) Allows(who access.Who) bool {
	return p.Permission == "" || who.May(p.Permission) || p.Or != "" && who.May(p.Or)
}

// Pages are all rows of the table. Nothing else is served but the console's own files.
func Pages() []Page { return append([]Page(nil), pages...) }

var pages = slices.Concat([]Page{
	{Method: http.MethodGet, Path: "/login", Name: "console.login", serve: (*visit).loginForm},
	{Method: http.MethodPost, Path: "/login", Name: "console.login", serve: (*visit).login},

	{Method: http.MethodGet, Path: "/{$}", Name: "console.start", Permission: access.SessionManage, serve: (*visit).start},
	{Method: http.MethodPost, Path: "/logout", Name: "console.logout", Permission: access.SessionManage, serve: (*visit).logout},
	{Method: http.MethodPost, Path: "/settings", Name: "console.settings", Permission: access.SessionManage, serve: (*visit).settings},
	{Method: http.MethodGet, Path: "/help", Name: "console.help", Permission: access.SessionManage, serve: (*visit).help},
	{Method: http.MethodGet, Path: "/policy", Name: "console.policy", Permission: access.PolicyRead, serve: (*visit).policy},
	{Method: http.MethodGet, Path: "/events", Name: "console.events", Permission: access.QueueRead, Or: access.ActList, serve: (*visit).events},

	{Method: http.MethodGet, Path: "/queues", Name: "console.queues", Permission: access.QueueRead, serve: (*visit).queues},
	{Method: http.MethodGet, Path: "/queues/{queue}", Name: "console.queue", Permission: access.QueueRead, serve: (*visit).queue},
	{Method: http.MethodPost, Path: "/queues/{queue}/next", Name: "console.next", Permission: access.CaseNext, serve: (*visit).next},

	{Method: http.MethodGet, Path: "/find", Name: "console.find", Permission: access.CaseFind, serve: (*visit).findForm},
	{Method: http.MethodPost, Path: "/find", Name: "console.find", Permission: access.CaseFind, serve: (*visit).find},

	// Whoever may break glass opens what they broke.
	{Method: http.MethodGet, Path: "/cases/{case}", Name: "console.case", Permission: access.CaseRead, Or: access.GlassBreak, serve: (*visit).showCase},
	{Method: http.MethodGet, Path: "/cases/{case}/standing", Name: "console.standing", Permission: access.CaseList, serve: (*visit).standing},
	{Method: http.MethodGet, Path: "/cases/{case}/bundle", Name: "console.bundle", Permission: access.AuditRead, serve: (*visit).bundle},
	{Method: http.MethodGet, Path: "/cases/{case}/views", Name: "console.views", Permission: access.WatchRead, serve: (*visit).caseViews},
	{Method: http.MethodPost, Path: "/cases/{case}/claim", Name: "console.claim", Permission: access.CaseClaim, serve: (*visit).claim},
	{Method: http.MethodPost, Path: "/cases/{case}/heartbeat", Name: "console.heartbeat", Permission: access.CaseClaim, serve: (*visit).heartbeat},
	{Method: http.MethodPost, Path: "/cases/{case}/comment", Name: "console.comment", Permission: access.CaseComment, serve: (*visit).comment},
	{Method: http.MethodPost, Path: "/cases/{case}/draft", Name: "console.draft", Permission: access.CaseOpinion, serve: (*visit).draft},
	{Method: http.MethodPost, Path: "/cases/{case}/preview", Name: "console.preview", Permission: access.CaseOpinion, serve: (*visit).preview},
	{Method: http.MethodPost, Path: "/cases/{case}/opinion", Name: "console.opinion", Permission: access.CaseOpinion, serve: (*visit).opinion},
	{Method: http.MethodPost, Path: "/cases/{case}/emergency", Name: "console.emergency_preview", Permission: access.CaseEmergency, serve: (*visit).emergency},
	{Method: http.MethodPost, Path: "/cases/{case}/order", Name: "console.emergency", Permission: access.CaseEmergency, serve: (*visit).order},
	// The address bar holds these after a page that answered a form: loading it anew opens the case.
	{Method: http.MethodGet, Path: "/cases/{case}/{verb}", Name: "console.case", Permission: access.CaseRead, Or: access.GlassBreak, serve: (*visit).backToCase},

	{Method: http.MethodGet, Path: "/appeals", Name: "console.appeals", Permission: access.AppealList, serve: (*visit).appeals},
	{Method: http.MethodPost, Path: "/appeals/next", Name: "console.appeal_next", Permission: access.AppealClaim, serve: (*visit).nextAppeal},
	{Method: http.MethodGet, Path: "/appeals/{appeal}", Name: "console.appeal", Permission: access.AppealList, serve: (*visit).appeal},
	{Method: http.MethodPost, Path: "/appeals/{appeal}/claim", Name: "console.appeal_claim", Permission: access.AppealClaim, serve: (*visit).claimAppeal},
	{Method: http.MethodPost, Path: "/appeals/{appeal}/release", Name: "console.appeal_release", Permission: access.AppealClaim, serve: (*visit).releaseAppeal},
	{Method: http.MethodPost, Path: "/appeals/{appeal}/draft", Name: "console.appeal_draft", Permission: access.AppealRule, serve: (*visit).rulingDraft},
	{Method: http.MethodPost, Path: "/appeals/{appeal}/preview", Name: "console.appeal_preview", Permission: access.AppealRule, serve: (*visit).previewRuling},
	{Method: http.MethodPost, Path: "/appeals/{appeal}/rule", Name: "console.appeal_rule", Permission: access.AppealRule, serve: (*visit).rule},
	{Method: http.MethodGet, Path: "/appeals/{appeal}/{verb}", Name: "console.appeal", Permission: access.AppealList, serve: (*visit).backToAppeal},

	{Method: http.MethodGet, Path: "/acts", Name: "console.acts", Permission: access.ActList, serve: (*visit).acts},
	{Method: http.MethodPost, Path: "/acts/pause", Name: "console.pause", Permission: access.ActPause, serve: (*visit).pause},
	{Method: http.MethodPost, Path: "/acts/resume", Name: "console.resume", Permission: access.ActResume, serve: (*visit).resume},
	{Method: http.MethodGet, Path: "/acts/settle", Name: "console.settle", Permission: access.ActSettle, serve: (*visit).settleForm},
	{Method: http.MethodPost, Path: "/acts/settle", Name: "console.settle", Permission: access.ActSettle, serve: (*visit).settle},
	{Method: http.MethodGet, Path: "/acts/{verb}", Name: "console.acts", Permission: access.ActList, serve: (*visit).backToActs},

	{Method: http.MethodGet, Path: "/automation", Name: "console.automation", Permission: access.SwitchRead, serve: (*visit).automation},
	{Method: http.MethodPost, Path: "/automation", Name: "console.automation_set", Permission: access.SwitchAutomation, serve: (*visit).setAutomation},
	{Method: http.MethodPost, Path: "/automation/arm", Name: "console.arm", Permission: access.BreakerArm, serve: (*visit).arm},
	{Method: http.MethodPost, Path: "/automation/reconcile", Name: "console.reconcile", Permission: access.ReconcileRun, serve: (*visit).reconcile},
	{Method: http.MethodGet, Path: "/automation/{verb}", Name: "console.automation", Permission: access.SwitchRead, serve: (*visit).backToAutomation},

	{Method: http.MethodGet, Path: "/people", Name: "console.people", Permission: access.PeopleRead, serve: (*visit).people},
	{Method: http.MethodPost, Path: "/people", Name: "console.person_add", Permission: access.PeopleManage, serve: (*visit).addPerson},
	{Method: http.MethodGet, Path: "/people/{person}/{verb}", Name: "console.person", Permission: access.PeopleManage, serve: (*visit).askPerson},
	{Method: http.MethodPost, Path: "/people/{person}/disable", Name: "console.person_disable", Permission: access.PeopleManage, serve: (*visit).disablePerson},
	{Method: http.MethodPost, Path: "/people/{person}/enable", Name: "console.person_enable", Permission: access.PeopleManage, serve: (*visit).enablePerson},
	{Method: http.MethodPost, Path: "/people/{person}/reset", Name: "console.person_reset", Permission: access.PeopleManage, serve: (*visit).resetPerson},

	{Method: http.MethodGet, Path: "/glass", Name: "console.glass_list", Permission: access.GlassReview, serve: (*visit).brokenGlass},
	{Method: http.MethodPost, Path: "/glass/{glass}", Name: "console.glass_review", Permission: access.GlassReview, serve: (*visit).reviewGlass},

	{Method: http.MethodGet, Path: "/audit", Name: "console.audit", Permission: access.WatchRead, serve: (*visit).audit},
}, verbPages())

// nowhere answers for every address that is not in the table.
var nowhere = Page{Name: "console.nowhere", Permission: access.SessionManage, serve: func(*visit) error {
	return casefile.Errorf(casefile.CodeNotFound, "there is no such page")
}}

// maxForm bounds a form: the longest rationale and comment with every post ticked fit in many times.
const maxForm = 1 << 20

// handle recognises the person, asks the table for leave and checks the form before the page sees it.
func (c *Console) handle(p Page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, ok := r.Context().Value(visitKey{}).(*visit)
		if !ok { // only without ServeHTTP, which every request goes through
			http.Error(w, "not served", http.StatusInternalServerError)
			return
		}
		v.page, v.r = p, r
		err := v.answer()
		if err != nil {
			v.fail(err)
		}
	})
}

// answer admits the visitor and serves the page. A panic's value may hold anybody's words: its type and the
// stack are logged, and the visitor gets the page of any internal error, unless they have something already.
func (v *visit) answer() (err error) {
	defer func() {
		crash := recover()
		if crash == nil {
			return
		}
		if crash == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
			panic(crash)
		}
		v.console.o.Log.LogAttrs(v.ctx(), slog.LevelError, "page panicked", slog.String("page", v.page.Name),
			slog.String("type", fmt.Sprintf("%T", crash)), slog.String("stack", string(debug.Stack())))
		if v.status != 0 {
			panic(http.ErrAbortHandler)
		}
		err = casefile.Errorf(casefile.CodeInternal, "panic")
	}()
	err = v.admit()
	if err != nil {
		return err
	}
	return v.page.serve(v)
}

func (v *visit) admit() error {
	if v.page.Permission != "" {
		err := v.recognise()
		if err != nil {
			return err
		}
		if !v.page.Allows(v.who) {
			return v.who.Require(v.page.Permission)
		}
	}
	if v.r.Method == http.MethodGet || v.r.Method == http.MethodHead {
		return nil
	}
	return v.readForm()
}

func (v *visit) recognise() error {
	cookie, err := v.r.Cookie(sessionCookie)
	if err != nil {
		return access.ErrUnauthenticated
	}
	v.who, err = v.console.o.Access.Session(v.ctx(), cookie.Value)
	if err != nil {
		return err
	}
	v.session = cookie.Value
	return nil
}

// readForm reads a form of bounded size and makes sure that a page of this session sent it.
func (v *visit) readForm() error {
	err := v.console.origin.Check(v.r)
	if err != nil {
		return casefile.Errorf(casefile.CodeForbidden, "the form was sent from another site")
	}
	kind, _, err := mime.ParseMediaType(v.r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return casefile.Errorf(casefile.CodeInvalid, "not a form of this console")
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
	err = v.r.ParseForm()
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return casefile.Errorf(casefile.CodeTooLarge, "the form is over %d bytes", maxForm)
	}
	if err != nil {
		return casefile.Errorf(casefile.CodeInvalid, "the form cannot be read")
	}
	if v.page.Permission == "" {
		return nil // a login has no session yet; the check of the sender's origin stands for it
	}
	return access.CheckCSRF(v.session, v.r.PostForm.Get("csrf"))
}

// ref is the case that the address names, as it was written there.
func (v *visit) ref() casefile.CaseRef { return casefile.CaseRef(v.r.PathValue("case")) }
