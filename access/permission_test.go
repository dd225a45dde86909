package access

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

// The table in docs/access.md is the one in the code.
func TestTableIsTheDocumentedOne(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "docs", "access.md"))
	require.NoError(t, err)
	var want strings.Builder
	for _, p := range Permissions() {
		fmt.Fprintf(&want, "| `%s` |", p)
		for _, r := range casefile.Roles {
			mark := " |"
			if Allowed([]casefile.Role{r}, p) {
				mark = " yes |"
			}
			want.WriteString(mark)
		}
		want.WriteString("\n")
	}
	require.Contains(t, string(page), want.String())
}

// kindOf sorts every permission by what it does, so that separation can be tested over the whole table.
var kindOf = map[Permission]string{
	FlagSubmit: "hands in", AppealOpen: "hands in",

	CaseFind: "reads words", CaseRead: "reads words",

	FlagRead: "reads", QueueRead: "reads", CaseList: "reads", DecisionRead: "reads", AuditRead: "reads", WatchRead: "reads",
	PolicyRead: "reads", PeopleRead: "reads", MetricsRead: "reads", AppealList: "reads", ActList: "reads", SwitchRead: "reads",

	CaseNext: "judges", CaseClaim: "judges", CaseComment: "judges", CaseOpinion: "judges", CaseWithdraw: "judges", CaseClose: "judges",
	CaseReopen: "judges", CaseSnooze: "judges", CaseHold: "judges", CaseHandOver: "judges", CaseEscalate: "judges", CaseDeadline: "judges",
	CaseForceRelease: "judges", CaseRefer: "judges", CaseEmergency: "judges", CaseAdjudicate: "judges", AppealClaim: "judges",
	AppealRule: "judges", ActSettle: "judges",

	ActPause: "switches", ActResume: "switches", SwitchAutomation: "switches", BreakerArm: "switches",

	DecisionFeed: "acts",

	HoldManage: "keeps", AccountErase: "erases", ErasureRead: "reads", ErasureWatch: "reads",

	GlassBreak: "guards", GlassReview: "guards", ReconcileRun: "guards",

	PeopleManage: "manages", SessionManage: "own",
}

func TestTableRules(t *testing.T) {
	t.Parallel()
	require.Len(t, kindOf, len(Permissions()))
	may := map[casefile.Role][]string{
		reviewer: {"judges", "reads words", "reads", "own"},
		senior:   {"judges", "reads words", "reads", "hands in", "own"},
		lead:     {"judges", "reads words", "reads", "hands in", "switches", "guards", "keeps", "own"},
		policy:   {"reads words", "reads", "guards", "keeps", "erases", "own"},
		auditor:  {"reads words", "reads", "guards", "own"},
		admin:    {"reads", "switches", "guards", "manages", "own"},
		service:  {"reads", "hands in", "acts", "own"},
	}
	for _, p := range Permissions() {
		require.NotEmpty(t, kindOf[p], "%s: say in kindOf what it does", p)
		require.NotEmpty(t, table[p], p)
		for _, r := range casefile.Roles {
			if Allowed([]casefile.Role{r}, p) {
				require.Contains(t, may[r], kindOf[p], "%s may not %s", r, p)
			}
		}
		require.False(t, Allowed(nil, p))
		require.False(t, Allowed([]casefile.Role{"nobody"}, p))
	}
	for _, r := range casefile.Roles {
		require.True(t, Allowed([]casefile.Role{r}, SessionManage))
		require.False(t, Allowed([]casefile.Role{r}, "no.such"))
	}
	holders := func(p Permission) []casefile.Role {
		return slices.DeleteFunc(slices.Clone(casefile.Roles), func(r casefile.Role) bool { return !Allowed([]casefile.Role{r}, p) })
	}
	require.Equal(t, []casefile.Role{admin}, holders(PeopleManage))
	require.Equal(t, []casefile.Role{admin}, holders(SwitchAutomation))
	require.Equal(t, []casefile.Role{policy}, holders(AccountErase), "nobody erases what their own decisions rest on")
	for _, p := range []Permission{CaseAdjudicate, CaseDeadline, CaseForceRelease} {
		require.Equal(t, []casefile.Role{lead}, holders(p), p)
	}
	for _, r := range holders(GlassBreak) {
		require.False(t, MaySeeRestricted(Who{Person: "p-abcdefgh", Roles: []casefile.Role{r}}, casefile.ReferChildSafety, false), "%s needs no glass broken", r)
		require.False(t, Allowed([]casefile.Role{r}, CaseClaim), "whoever looks by exception holds no case")
	}
}

func TestCheckRoles(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		roles []casefile.Role
		ok    bool
	}{
		"one":                     {[]casefile.Role{reviewer}, true},
		"several":                 {[]casefile.Role{reviewer, senior, lead, policy, admin}, true},
		"service":                 {[]casefile.Role{service, service}, true},
		"auditor and policy":      {[]casefile.Role{auditor, policy}, true},
		"none":                    {nil, false},
		"unknown":                 {[]casefile.Role{reviewer, "root"}, false},
		"service and reviewer":    {[]casefile.Role{service, reviewer}, false},
		"auditor and reviewer":    {[]casefile.Role{reviewer, auditor}, false},
		"auditor and admin":       {[]casefile.Role{auditor, admin}, false},
		"service hidden by order": {[]casefile.Role{lead, policy, service}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := CheckRoles(tc.roles)
			if tc.ok {
				require.NoError(t, err)
				return
			}
			requireCode(t, casefile.CodeInvalid, err)
			for _, p := range Permissions() {
				require.False(t, Allowed(tc.roles, p), "roles that must not stand together are allowed nothing")
			}
		})
	}
}

func TestWho(t *testing.T) {
	t.Parallel()
	w := Who{Person: "p-abcdefgh", Roles: []casefile.Role{reviewer, senior, policy}}
	require.True(t, w.May(CaseOpinion))
	require.NoError(t, w.Require(CaseOpinion))
	requireCode(t, casefile.CodeForbidden, w.Require(PeopleManage))
	actor, err := w.ActorFor(CaseOpinion)
	require.NoError(t, err)
	require.Equal(t, casefile.Actor{Person: "p-abcdefgh", Role: casefile.RoleSenior}, actor)
	actor, err = w.ActorFor(MetricsRead)
	require.NoError(t, err)
	require.Equal(t, casefile.RolePolicy, actor.Role)
	_, err = w.ActorFor(PeopleManage)
	requireCode(t, casefile.CodeForbidden, err)
}

func TestPurpose(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		roles []casefile.Role
		may   []Purpose
	}{
		"reviewer": {[]casefile.Role{reviewer}, []Purpose{PurposeReview, PurposeAppeal}},
		"senior":   {[]casefile.Role{senior}, []Purpose{PurposeReview, PurposeAppeal, PurposeSupport}},
		"lead":     {[]casefile.Role{lead}, []Purpose{PurposeReview, PurposeAppeal, PurposeSupport, PurposePolicy}},
		"policy":   {[]casefile.Role{policy}, []Purpose{PurposePolicy}},
		"auditor":  {[]casefile.Role{auditor}, []Purpose{PurposeAudit}},
		"admin":    {[]casefile.Role{admin}, nil},
		"service":  {[]casefile.Role{service}, nil},
		"mixed up": {[]casefile.Role{service, lead}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.may, Purposes(tc.roles))
			w := Who{Roles: tc.roles}
			for _, p := range purposes {
				got, err := w.Purpose(string(p.purpose))
				if slices.Contains(tc.may, p.purpose) {
					require.NoError(t, err)
					require.Equal(t, p.purpose, got)
					continue
				}
				requireCode(t, casefile.CodeForbidden, err)
			}
			usual, err := w.Purpose("")
			if len(tc.may) == 0 {
				requireCode(t, casefile.CodeForbidden, err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.may[0], usual)
		})
	}
}
