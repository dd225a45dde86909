package client

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/api"
)

// People lists the staff.
func (c *Client) People(ctx context.Context) ([]review.PersonView, error) {
	var out api.PeopleList
	err := c.get(ctx, &out, nil, "people")
	return out.People, err
}

// AddPerson adds somebody.
func (c *Client) AddPerson(ctx context.Context, call review.NewPersonCall) (review.Introduced, error) {
	var out review.Introduced
	err := c.post(ctx, &out, call, "", "people")
	return out, err
}

// DisablePerson ends what somebody may do, by login or pseudonym.
func (c *Client) DisablePerson(ctx context.Context, person string) (review.Disabled, error) {
	var out review.Disabled
	err := c.post(ctx, &out, api.PersonBody{Person: person}, "", "people", "disable")
	return out, err
}

// EnablePerson lets somebody come back.
func (c *Client) EnablePerson(ctx context.Context, person string) (review.PersonView, error) {
	var out review.PersonView
	err := c.post(ctx, &out, api.PersonBody{Person: person}, "", "people", "enable")
	return out, err
}

// ResetPerson ends every token and session of somebody and gives them a new way in.
func (c *Client) ResetPerson(ctx context.Context, person string) (review.Introduced, error) {
	var out review.Introduced
	err := c.post(ctx, &out, api.PersonBody{Person: person}, "", "people", "reset")
	return out, err
}

// BreakGlass opens a case to the caller for so many minutes.
func (c *Client) BreakGlass(ctx context.Context, ref casefile.CaseRef, reason string, minutes int) (review.GlassView, error) {
	var out review.GlassView
	err := c.post(ctx, &out, api.GlassBody{Reason: reason, Minutes: minutes}, "", "cases", string(ref), "glass")
	return out, err
}

// BrokenGlass lists what was broken and not reviewed yet, or with all everything; limit 0 means the API's own.
func (c *Client) BrokenGlass(ctx context.Context, all bool, limit int) (review.GlassPage, error) {
	var out review.GlassPage
	q := values("limit", strconv.Itoa(limit))
	if all {
		q.Set("all", "true")
	}
	err := c.get(ctx, &out, q, "glass")
	return out, err
}

// ReviewGlass says once whether glass was broken with good reason.
func (c *Client) ReviewGlass(ctx context.Context, id string, justified bool) (api.Reviewed, error) {
	var out api.Reviewed
	err := c.post(ctx, &out, api.GlassReviewBody{Justified: &justified}, "", "glass", id, "review")
	return out, err
}

// Reconcile finds workflows that are missing and starts them again. The report is as the API gives it.
func (c *Client) Reconcile(ctx context.Context) (json.RawMessage, error) {
	var out struct {
		Report json.RawMessage `json:"report"`
	}
	err := c.post(ctx, &out, nil, "", "reconcile")
	return out.Report, err
}
