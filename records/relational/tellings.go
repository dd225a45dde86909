package relational

import (
	"context"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

func checkTelling(r records.TellingRow) error {
	switch {
	case r.ID == "":
		return casefile.Invalid("tellings.id", "required")
	case r.Kind == "":
		return casefile.Invalid("tellings.kind", "required")
	case r.At.IsZero():
		return casefile.Invalid("tellings.at", "required")
	}
	return nil
}

func (t *tx) addTellings(ctx context.Context, rows []records.TellingRow) error {
	for _, r := range rows {
		n, err := t.changed(ctx, `INSERT INTO tellings (id, kind, page, team, queue, platform, case_ref, subject, due_at, at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
			r.ID, r.Kind, bit(r.Page), r.Team, r.Queue, r.Platform, r.Case, r.Subject, microsOrNull(r.DueAt), micros(r.At))
		if err != nil {
			return err
		}
		if n > 0 {
			t.Tell(records.Change{Kind: records.ChangeTelling, ID: r.ID})
		}
	}
	return nil
}
