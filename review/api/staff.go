package api

import (
	"context"
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

// PeopleList is the answer with all staff.
type PeopleList struct {
	People []review.PersonView `json:"people"`
}

func (a *API) people(ctx context.Context, who access.Who, _ *struct{}) (PeopleList, error) {
	people, err := a.o.Desk.People(ctx, who)
	return PeopleList{People: people}, err
}

func (a *API) addPerson(ctx context.Context, who access.Who, _ *bodyInput, body review.NewPersonCall) (review.Introduced, error) {
	return a.o.Desk.AddPerson(ctx, who, body)
}

// PersonBody names a staff member: no login belongs in an address.
type PersonBody struct {
	Person string `json:"person" doc:"Login or pseudonym"`
}

func (a *API) disablePerson(ctx context.Context, who access.Who, _ *bodyInput, body PersonBody) (review.Disabled, error) {
	return a.o.Desk.DisablePerson(ctx, who, body.Person)
}

func (a *API) enablePerson(ctx context.Context, who access.Who, _ *bodyInput, body PersonBody) (review.PersonView, error) {
	return a.o.Desk.EnablePerson(ctx, who, body.Person)
}

func (a *API) resetPerson(ctx context.Context, who access.Who, _ *bodyInput, body PersonBody) (review.Introduced, error) {
	return a.o.Desk.ResetPerson(ctx, who, body.Person)
}

// GlassBody opens a case to whoever has no right to it.
type GlassBody struct {
	Reason  string `json:"reason" doc:"20 to 1000 characters; sealed, read by whoever reviews it"`
	Minutes int    `json:"minutes" doc:"For how long: 1 to 60"`
}

func (a *API) breakGlass(ctx context.Context, who access.Who, in *verbBodyInput, body GlassBody) (review.GlassView, error) {
	if body.Minutes < 1 || body.Minutes > int(access.MaxGlass/time.Minute) {
		return review.GlassView{}, casefile.Invalid("minutes", "1 to %d", int(access.MaxGlass/time.Minute))
	}
	return a.o.Desk.BreakGlass(ctx, who, in.ref(), body.Reason, time.Duration(body.Minutes)*time.Minute)
}

type glassInput struct {
	All   bool `query:"all" doc:"Also what was reviewed"`
	Limit int  `query:"limit" minimum:"0" maximum:"200" doc:"Rows on the page; 50 if left out"`
}

func (a *API) brokenGlass(ctx context.Context, who access.Who, in *glassInput) (review.GlassPage, error) {
	return a.o.Desk.BrokenGlass(ctx, who, !in.All, in.Limit)
}

// GlassReviewBody is what somebody else says of broken glass.
type GlassReviewBody struct {
	Justified *bool `json:"justified" doc:"Required: whether there was good reason"`
}

type glassNamed struct {
	Glass   string `path:"glass" maxLength:"64"`
	RawBody []byte
}

func (g glassNamed) raw() []byte { return g.RawBody }

// Reviewed is the answer to a review of broken glass.
type Reviewed struct {
	ID        string `json:"id"`
	Justified bool   `json:"justified"`
}

func (a *API) reviewGlass(ctx context.Context, who access.Who, in *glassNamed, body GlassReviewBody) (Reviewed, error) {
	if body.Justified == nil {
		return Reviewed{}, casefile.Invalid("justified", "required: true or false")
	}
	err := a.o.Desk.ReviewGlass(ctx, who, in.Glass, *body.Justified)
	return Reviewed{ID: in.Glass, Justified: *body.Justified}, err
}

func (a *API) reconcile(ctx context.Context, who access.Who, _ *struct{}) (review.ReconcileAnswer, error) {
	return a.o.Desk.Reconcile(ctx, who)
}
