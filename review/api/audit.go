package api

import (
	"context"
	"slices"
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

// AfterPage are the parameters of a list in order of sequence numbers.
type AfterPage struct {
	After int64 `query:"after" minimum:"0" doc:"The next of an earlier page"`
	Limit int   `query:"limit" minimum:"0" maximum:"200" doc:"Rows on the page; 50 if left out"`
}

type viewsInput struct {
	Named
	AfterPage
}

// ViewList is one page of looks at a case.
type ViewList struct {
	Views []review.ViewRow `json:"views"`
	Next  int64            `json:"next,omitempty" doc:"Go on after this; left out on the last page"`
}

func (a *API) views(ctx context.Context, who access.Who, in *viewsInput) (ViewList, error) {
	rows, next, err := a.o.Desk.Views(ctx, who, in.ref(), in.After, in.Limit)
	return ViewList{Views: rows, Next: next}, err
}

// RefusalList is one page of refused requests.
type RefusalList struct {
	Refusals []review.RefusalRow `json:"refusals"`
	Next     int64               `json:"next,omitempty" doc:"Go on after this; left out on the last page"`
}

func (a *API) refusals(ctx context.Context, who access.Who, in *AfterPage) (RefusalList, error) {
	rows, next, err := a.o.Desk.Refusals(ctx, who, in.After, in.Limit)
	return RefusalList{Refusals: rows, Next: next}, err
}

// Me is the holder of the token.
type Me struct {
	Person      casefile.Person     `json:"person"`
	Login       string              `json:"login"`
	Name        string              `json:"name"`
	Roles       []casefile.Role     `json:"roles"`
	Team        string              `json:"team,omitempty"`
	Permissions []access.Permission `json:"permissions"`
	Purposes    []access.Purpose    `json:"purposes" doc:"What cases may be opened for, the usual one first"`
}

func (a *API) me(_ context.Context, who access.Who, _ *struct{}) (Me, error) {
	may := slices.DeleteFunc(access.Permissions(), func(p access.Permission) bool { return !who.May(p) })
	purposes := access.Purposes(who.Roles)
	if purposes == nil {
		purposes = []access.Purpose{}
	}
	return Me{Person: who.Person, Login: who.Login, Name: who.Name, Roles: who.Roles, Team: who.Team, Permissions: may, Purposes: purposes}, nil
}

type feedInput struct {
	After int64 `query:"after" minimum:"-1" default:"-1" doc:"Index in the log behind which to go on: the next of an earlier part; left out, from the log's beginning"`
	Limit int   `query:"limit" minimum:"0" maximum:"200" doc:"Decisions in the part; 50 if left out"`
	Wait  int   `query:"wait" minimum:"0" maximum:"30" doc:"Where there is none, wait for one so many seconds"`
}

func (a *API) decisionFeed(ctx context.Context, who access.Who, in *feedInput) (review.DecisionFeed, error) {
	return a.o.Desk.DecisionsAfter(ctx, who, in.After, in.Limit, time.Duration(in.Wait)*time.Second)
}
