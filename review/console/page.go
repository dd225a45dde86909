package console

import (
	"errors"
	"mime"
	"net/http"

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
	serve      func(v *visit) error
}

// Pages are all rows of the table. Nothing else is served but the console's own files.
func Pages() []Page { return append([]Page(nil), pages...) }

var pages = []Page{
	{Method: http.MethodGet, Path: "/login", Name: "console.login", serve: (*visit).loginForm},
	{Method: http.MethodPost, Path: "/login", Name: "console.login", serve: (*visit).login},

	{Method: http.MethodGet, Path: "/{$}", Name: "console.start", Permission: access.SessionManage, serve: (*visit).start},
	{Method: http.MethodPost, Path: "/logout", Name: "console.logout", Permission: access.SessionManage, serve: (*visit).logout},
	{Method: http.MethodPost, Path: "/settings", Name: "console.settings", Permission: access.SessionManage, serve: (*visit).settings},
	{Method: http.MethodGet, Path: "/help", Name: "console.help", Permission: access.SessionManage, serve: (*visit).help},
	{Method: http.MethodGet, Path: "/policy", Name: "console.policy", Permission: access.PolicyRead, serve: (*visit).policy},

	{Method: http.MethodGet, Path: "/queues", Name: "console.queues", Permission: access.QueueRead, serve: (*visit).queues},
	{Method: http.MethodGet, Path: "/queues/{queue}", Name: "console.queue", Permission: access.QueueRead, serve: (*visit).queue},
	{Method: http.MethodPost, Path: "/queues/{queue}/next", Name: "console.next", Permission: access.CaseNext, serve: (*visit).next},

	{Method: http.MethodGet, Path: "/find", Name: "console.find", Permission: access.CaseFind, serve: (*visit).findForm},
	{Method: http.MethodPost, Path: "/find", Name: "console.find", Permission: access.CaseFind, serve: (*visit).find},

	{Method: http.MethodGet, Path: "/cases/{case}", Name: "console.case", Permission: access.CaseRead, serve: (*visit).showCase},
	{Method: http.MethodGet, Path: "/cases/{case}/standing", Name: "console.standing", Permission: access.CaseList, serve: (*visit).standing},
	{Method: http.MethodGet, Path: "/cases/{case}/bundle", Name: "console.bundle", Permission: access.AuditRead, serve: (*visit).bundle},
	{Method: http.MethodGet, Path: "/cases/{case}/views", Name: "console.views", Permission: access.WatchRead, serve: (*visit).caseViews},
	{Method: http.MethodPost, Path: "/cases/{case}/claim", Name: "console.claim", Permission: access.CaseClaim, serve: (*visit).claim},
	{Method: http.MethodPost, Path: "/cases/{case}/heartbeat", Name: "console.heartbeat", Permission: access.CaseClaim, serve: (*visit).heartbeat},
	{Method: http.MethodPost, Path: "/cases/{case}/comment", Name: "console.comment", Permission: access.CaseComment, serve: (*visit).comment},
	{Method: http.MethodPost, Path: "/cases/{case}/draft", Name: "console.draft", Permission: access.CaseOpinion, serve: (*visit).draft},
	{Method: http.MethodPost, Path: "/cases/{case}/preview", Name: "console.preview", Permission: access.CaseOpinion, serve: (*visit).preview},
	{Method: http.MethodPost, Path: "/cases/{case}/opinion", Name: "console.opinion", Permission: access.CaseOpinion, serve: (*visit).opinion},
	{Method: http.MethodGet, Path: "/cases/{case}/release", Name: "console.release", Permission: access.CaseClaim, serve: (*visit).confirmRelease},
	{Method: http.MethodPost, Path: "/cases/{case}/release", Name: "console.release", Permission: access.CaseClaim, serve: (*visit).release},
	{Method: http.MethodGet, Path: "/cases/{case}/close", Name: "console.close", Permission: access.CaseClose, serve: (*visit).confirmClose},
	{Method: http.MethodPost, Path: "/cases/{case}/close", Name: "console.close", Permission: access.CaseClose, serve: (*visit).closeCase},
	{Method: http.MethodGet, Path: "/cases/{case}/withdraw", Name: "console.withdraw", Permission: access.CaseWithdraw, serve: (*visit).confirmWithdraw},
	{Method: http.MethodPost, Path: "/cases/{case}/withdraw", Name: "console.withdraw", Permission: access.CaseWithdraw, serve: (*visit).withdraw},
	{Method: http.MethodGet, Path: "/cases/{case}/reopen", Name: "console.reopen", Permission: access.CaseReopen, serve: (*visit).confirmReopen},
	{Method: http.MethodPost, Path: "/cases/{case}/reopen", Name: "console.reopen", Permission: access.CaseReopen, serve: (*visit).reopen},
	// The address bar holds these after a page that answered a form: loading it anew opens the case.
	{Method: http.MethodGet, Path: "/cases/{case}/{verb}", Name: "console.case", Permission: access.CaseRead, serve: (*visit).backToCase},

	{Method: http.MethodGet, Path: "/audit", Name: "console.audit", Permission: access.WatchRead, serve: (*visit).audit},
}

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
		err := v.admit()
		if err == nil {
			err = p.serve(v)
		}
		if err != nil {
			v.fail(err)
		}
	})
}

func (v *visit) admit() error {
	if v.page.Permission != "" {
		err := v.recognise()
		if err != nil {
			return err
		}
		err = v.who.Require(v.page.Permission)
		if err != nil {
			return err
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
