package console_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

// TestHoldAndErase: a hold shows on the case and keeps the account, with the reason on the page; without one
// the erasure begins.
func TestHoldAndErase(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	v := s.login("policy")
	address := "/cases/" + string(ref)
	a := v.post(address+"/keep", with(formOf(v.get(address+"/keep").page(), "verb-form"), "in", "720h"))
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.NotNil(t, byID(a.page(), "fault-reason"), "the order is asked for")
	a = v.post(address+"/keep", with(formOf(a.page(), "verb-form"), "in", "720h", "reason", "[an order of a court]"))
	require.Equal(t, http.StatusSeeOther, a.status, a.body)
	page := v.follow(a).page()
	require.Contains(t, textOf(page), "Legal hold")
	require.Contains(t, offersOf(page), "unkeep")

	form := formOf(v.get(address+"/erase").page(), "verb-form")
	a = v.post(address+"/erase", with(form, "reason", "[a request]"))
	require.Equal(t, http.StatusUnprocessableEntity, a.status, "it has to be meant")
	a = v.post(address+"/erase", with(form, "reason", "[a request]", "sure", "on"))
	require.Equal(t, http.StatusConflict, a.status)
	require.Contains(t, textOf(byID(a.page(), "bars")), "A legal hold stands until")
	require.Equal(t, "[a request]", formOf(a.page(), "verb-form").Get("reason"), "what was entered is kept")

	a = v.post(address+"/unkeep", with(formOf(v.get(address+"/unkeep").page(), "verb-form"), "reason", "[lifted]"))
	require.Equal(t, http.StatusSeeOther, a.status, a.body)
	a = v.post(address+"/erase", with(form, "reason", "[a request]", "sure", "on"))
	require.Equal(t, http.StatusSeeOther, a.status, a.body)
	page = v.follow(a).page()
	require.NotNil(t, byID(page, "erasing"))
	require.NotContains(t, offersOf(page), "erase")

	rows, err := s.Records.ErasuresUnderWay(context.Background(), 5)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	s.login("rev1").take(ref)
	holder := s.login("rev1")
	a = holder.post(address+"/close", with(formOf(holder.get(address+"/close?claim=1&evidence=1").page(), "verb-form"), "reason", "test"))
	require.Equal(t, http.StatusSeeOther, a.status, a.body)
	_, err = s.Records.DestroyAccount(context.Background(), rows[0].ID, s.Clock.Now())
	require.NoError(t, err)
	page = v.get(address + "?purpose=policy").page()
	require.NotNil(t, byID(page, "erased"))
	require.NotContains(t, textOf(page), "synthetic_1")
	require.Equal(t, casefile.StateClosed, s.row(ref).State)
}
