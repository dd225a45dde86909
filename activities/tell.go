package activities

import (
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/telling"
	"github.com/docket-triage/docket/workflows"
)

// tellingRow makes the row of a telling. Workflows make ids of what a telling is about, whatever that
// is; ids of rows are of one form, and the same for the same telling for ever.
func (w *Work) tellingRow(t workflows.Telling, platform string, ref casefile.CaseRef, subject string) records.TellingRow {
	row := records.TellingRow{
		ID: telling.ID(telling.Kind(t.Kind), t.ID), Kind: t.Kind, Page: t.Page, Team: t.Team, Queue: t.Queue, Platform: platform,
		Case: ref, Subject: subject, DueAt: t.DueAt, At: w.Now(),
	}
	if row.Team == "" && t.Queue != "" {
		q, _ := w.Router.Queue(t.Queue)
		row.Team = q.Team
	}
	return row
}

// caseTelling is a telling of a case; its subject is the decision, where there is one.
func (w *Work) caseTelling(platform string, s workflows.CaseState, t workflows.Telling) records.TellingRow {
	subject := ""
	if s.Decision != nil {
		subject = s.Decision.ID
	}
	return w.tellingRow(t, platform, s.Ref, subject)
}
