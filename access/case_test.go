package access

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

func TestMayTakeFrom(t *testing.T) {
	t.Parallel()
	who := func(team string, roles ...casefile.Role) Who {
		return Who{Person: "p-abcdefgh", Team: team, Roles: roles}
	}
	for name, tc := range map[string]struct {
		who   Who
		roles []casefile.Role
		team  string
		may   bool
	}{
		"every team":                    {who("day", reviewer), []casefile.Role{reviewer, senior}, "", true},
		"their team":                    {who("night", senior), []casefile.Role{senior}, "night", true},
		"one of several roles":          {who("", reviewer, senior), []casefile.Role{senior}, "", true},
		"another team":                  {who("day", senior), []casefile.Role{senior}, "night", false},
		"a lead of another team":        {who("day", lead), []casefile.Role{lead}, "night", false},
		"no team":                       {who("", senior), []casefile.Role{senior}, "night", false},
		"a lower role":                  {who("night", reviewer), []casefile.Role{senior, lead}, "night", false},
		"a higher role that is not on":  {who("night", lead), []casefile.Role{reviewer}, "night", false},
		"a queue with no roles":         {who("night", lead), nil, "night", false},
		"roles that do not judge":       {who("", policy), []casefile.Role{policy}, "", false},
		"an admin":                      {who("", admin), casefile.Roles, "", false},
		"an auditor":                    {who("", auditor), casefile.Roles, "", false},
		"a service":                     {who("", service), casefile.Roles, "", false},
		"judging by another role alone": {who("", reviewer, policy), []casefile.Role{policy}, "", false},
		"roles that must not meet":      {who("", reviewer, service), casefile.Roles, "", false},
		"nobody":                        {Who{}, casefile.Roles, "", false},
	} {
		err := MayTakeFrom(tc.who, tc.roles, tc.team)
		if tc.may {
			require.NoError(t, err, name)
			continue
		}
		require.Error(t, err, name)
		requireCode(t, casefile.CodeForbidden, err)
	}
}

func TestMaySeeRestricted(t *testing.T) {
	t.Parallel()
	const child, harm = casefile.ReferChildSafety, casefile.ReferSelfHarm
	who := func(team string, roles ...casefile.Role) Who {
		return Who{Person: "p-abcdefgh", Team: team, Roles: roles}
	}
	for name, tc := range map[string]struct {
		who    Who
		kind   casefile.ReferralKind
		holder bool
		may    bool
	}{
		"holder":                          {who("review", reviewer), child, true, true},
		"a lead":                          {who("review", lead), child, false, true},
		"the team":                        {who("child_safety", reviewer), child, false, true},
		"the other team":                  {who("child_safety", reviewer), harm, false, false},
		"a colleague of the holder":       {who("review", reviewer), child, false, false},
		"a senior":                        {who("review", reviewer, senior), harm, false, false},
		"an auditor":                      {who("audit", auditor), child, false, false},
		"policy":                          {who("policy", policy), child, false, false},
		"an admin of the team":            {who("child_safety", admin), child, false, false},
		"a service of the team":           {who("child_safety", service), child, false, false},
		"a holder who lost their role":    {who("review"), child, true, false},
		"a lead who is a service as well": {who("review", lead, service), child, false, false},
		"a legal matter":                  {who("review", reviewer), casefile.ReferLegal, false, true},
		"none":                            {who("policy", policy), "", false, true},
		"none, for an admin":              {who("operations", admin), "", false, false},
		"an unknown kind":                 {who("something", reviewer), "something", false, false},
		"an unknown kind, for a lead":     {who("review", lead), "something", false, true},
	} {
		require.Equal(t, tc.may, MaySeeRestricted(tc.who, tc.kind, tc.holder), name)
	}
}

// TestMayActOn: a detector is given no decision, and the account of a restricted case only the service of
// the team that it is restricted to.
func TestMayActOn(t *testing.T) {
	t.Parallel()
	of := func(team string, roles ...casefile.Role) Who {
		return Who{Person: "p-abcdefgh", Team: team, Roles: roles}
	}
	for name, tc := range map[string]struct {
		who               Who
		given             bool
		plain, child, odd bool
	}{
		"the takedown team":        {of(TakedownTeam, service), true, true, false, false},
		"child safety":             {of("child_safety", service), true, false, true, false},
		"self-harm":                {of("self_harm", service), true, false, false, false},
		"a detector":               {of("operations", service), false, false, false, false},
		"a service of no team":     {of("", service), false, false, false, false},
		"legal's":                  {of("legal", service), false, false, false, false},
		"a lead of the team":       {of(TakedownTeam, lead), false, false, false, false},
		"an auditor":               {of(TakedownTeam, auditor), false, false, false, false},
		"an admin of child safety": {of("child_safety", admin), false, false, false, false},
	} {
		require.Equal(t, tc.given, MayReceive(tc.who) == nil, name)
		require.Equal(t, tc.plain, MayActOn(tc.who, ""), name)
		require.Equal(t, tc.plain, MayActOn(tc.who, casefile.ReferLegal), name)
		require.Equal(t, tc.child, MayActOn(tc.who, casefile.ReferChildSafety), name)
		require.Equal(t, tc.odd, MayActOn(tc.who, "something"), name)
	}
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(MayReceive(of("operations", service))))
}

func TestNames(t *testing.T) {
	t.Parallel()
	of := records.PersonRow{Person: "p-someone0", Login: "someone", Name: "Some One", Roles: []casefile.Role{reviewer}, Team: "review"}
	who := func(team string, roles ...casefile.Role) Who {
		return Who{Person: "p-abcdefgh", Team: team, Roles: roles}
	}
	for name, tc := range map[string]struct {
		who  Who
		sees bool
	}{
		"themselves":             {whoOf(of), true},
		"a lead of the team":     {who("review", lead), true},
		"a lead of another team": {who("night", lead), false},
		"a lead of no team":      {who("", lead), false},
		"an admin":               {who("operations", admin), true},
		"an auditor":             {who("audit", auditor), true},
		"a colleague":            {who("review", reviewer, senior), false},
		"policy":                 {who("review", policy), false},
		"a service":              {who("review", service), false},
		"an impossible admin":    {who("review", admin, auditor), false},
		"the account's side":     {Who{}, false},
	} {
		require.Equal(t, tc.sees, tc.who.SeesName(of), name)
		want := "p-someone0"
		if tc.sees {
			want = "Some One"
		}
		require.Equal(t, want, tc.who.ShowName(of), name)
	}
	of.Team = ""
	require.False(t, who("", lead).SeesName(of), "no team is no team to share")
	require.False(t, Who{}.SeesName(records.PersonRow{Name: "Nobody"}))
}
