package indexing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	at := func(second int64) *time.Time { v := time.Unix(second, 0); return &v }
	post := casefile.Event{Platform: "p", ID: "1"}
	require.NoError(t, AccountHistory{}.Check("p", 1))
	require.NoError(t, AccountHistory{Posts: 2, Reposts: 2, First: at(1), Last: at(1), Newest: []casefile.Event{post}}.Check("p", 1))
	for name, h := range map[string]AccountHistory{
		"below zero":          {Posts: -1},
		"more than all":       {Posts: 1, Replies: 2},
		"ends first":          {Posts: 1, First: at(2), Last: at(1)},
		"no end":              {Posts: 1, First: at(2)},
		"too many":            {Posts: 2, Newest: []casefile.Event{post, post}},
		"more than there are": {Newest: []casefile.Event{post}},
		"another platform's":  {Posts: 1, Newest: []casefile.Event{{Platform: "q", ID: "1"}}},
		"no post":             {Posts: 1, Newest: []casefile.Event{{Platform: "p"}}},
	} {
		require.Equal(t, casefile.CodeInternal, casefile.ErrorCode(h.Check("p", 1)), name)
	}
	require.NoError(t, Coverage{}.Check())
	for name, c := range map[string]Coverage{"posts": {Posts: -1}, "outside": {Outside: -1}, "backwards": {From: *at(2), To: *at(1)}} {
		require.Equal(t, casefile.CodeInternal, casefile.ErrorCode(c.Check()), name)
	}
}
